import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { JAVA, MAVEN } from './requirements.js';
import { reachable, type Launch, type Ports, type ServerSource } from './types.js';

export const KAFKA_VERSION = '4.1.1';
const POM = fileURLToPath(new URL('./kafka/pom.xml', import.meta.url));

/** What `launch` expects is the folder of the jars. */
export function kafkaSource(configuredHome: string): ServerSource {
  return {
    name: 'kafka',
    version: KAFKA_VERSION,
    configured: configuredHome && join(configuredHome, 'libs'),
    variable: 'KAFKA_HOME',
    onPath: 'kafka-server-start.sh',
    fromPath: (command) => join(dirname(dirname(command)), 'libs'),
    entry: 'libs',
    runs: [JAVA],
    build: {
      requires: [JAVA, MAVEN],
      command: 'mvn',
      args: [
        '--batch-mode',
        '--no-transfer-progress',
        '--file',
        POM,
        'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
        '-DincludeScope=runtime',
        '-DoutputDirectory={out}/libs',
      ],
      env: {},
    },
  };
}

/** `server.properties` of one KRaft node that is broker and controller. */
export function kafkaProperties(dir: string, ports: Ports, bindHost: string, partitions: number): string {
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.kafkaController}`,
    listeners: `PLAINTEXT://${bindHost}:${ports.kafka},CONTROLLER://127.0.0.1:${ports.kafkaController}`,
    'advertised.listeners': `PLAINTEXT://${reachable(bindHost)}:${ports.kafka}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(dir, 'log'),
    'num.partitions': partitions,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': 1,
    // The default of 50 means 50 logs to open and recover for a handful of groups.
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    // Without an orderly sign-off, or until the old session has run out after a crash (default: 9 s),
    // the controller refuses the same broker's next start.
    'controlled.shutdown.enable': 'true',
    'broker.session.timeout.ms': 4000,
    'broker.heartbeat.interval.ms': 500,
  };
  return `${Object.entries(settings)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}

const java = (libs: string, main: string, args: readonly string[]): readonly string[] => [
  '-Xms64m',
  '-Xmx384m',
  '-XX:+UseSerialGC',
  // A laptop's broker lives for minutes: the quick compiler alone halves the CPU of its start.
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
  '-Dlog4j2.level=ERROR',
  '-cp',
  join(libs, '*'),
  main,
  ...args,
];

/** Writes the cluster id into empty log folders; once per state folder. */
export function kafkaFormat(
  libs: string,
  properties: string,
  clusterId: string,
): { command: string; args: readonly string[] } {
  return {
    command: 'java',
    args: java(libs, 'kafka.tools.StorageTool', [
      'format',
      '--config',
      properties,
      `--cluster-id=${clusterId}`,
      '--ignore-formatted',
    ]),
  };
}

export function kafkaLaunch(libs: string, properties: string): Launch {
  return {
    command: 'java',
    args: java(libs, 'kafka.Kafka', [properties]),
    env: {},
    stopSignal: 'SIGTERM',
    orphanSignal: 'KILL',
  };
}
