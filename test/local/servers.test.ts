import { readFileSync } from 'node:fs';
import { expect, describe, it } from '@jest/globals';
import {
  KAFKA_VERSION,
  kafkaFormat,
  kafkaLaunch,
  kafkaProperties,
  kafkaSource,
} from '../../src/local/servers/kafka.js';
import { loadConfig } from '../../src/config/index.js';
import { minioLaunch, notificationArns } from '../../src/local/servers/minio.js';
import { disguised, postgresInit, postgresLaunch, postgresSource } from '../../src/local/servers/postgres.js';
import { temporalLaunch, temporalSource } from '../../src/local/servers/temporal.js';
import { DEFAULT_PORTS, reachable } from '../../src/local/servers/types.js';

const pairs = (args: readonly string[], flag: string): string[] =>
  args.flatMap((arg, i) => (arg === flag ? [args[i + 1]!] : []));

describe('Temporal', () => {
  const { args } = temporalLaunch('/bin/temporal', '/state/temporal', DEFAULT_PORTS, '127.0.0.1', {
    ...{ namespace: 'default', encryptionKeys: '' },
  });

  it('listens where it should and keeps its state', () => {
    expect(pairs(args, '--ip')).toEqual(['127.0.0.1']);
    expect(pairs(args, '--port')).toEqual(['7233']);
    expect(pairs(args, '--ui-port')).toEqual(['8233']);
    expect(pairs(args, '--db-filename')).toEqual(['/state/temporal/temporal.db']);
    expect(pairs(args, '--namespace')).toEqual(['default']);
  });

  it('tells its page of the codec server where there is one', () => {
    expect(pairs(args, '--ui-codec-endpoint')).toEqual([]);
    const settings = { namespace: 'default', encryptionKeys: 'a key' };
    const encrypted = temporalLaunch('/bin/temporal', '/state/temporal', DEFAULT_PORTS, '127.0.0.1', settings);
    expect(pairs(encrypted.args, '--ui-codec-endpoint')).toEqual(['http://127.0.0.1:8091']);
  });

  it('is not held to 20 tasks a second, and honours priorities', () => {
    expect(pairs(args, '--dynamic-config-value').sort()).toEqual([
      'history.transferProcessorMaxPollRPS=2000',
      'matching.enableFairness=true',
      'matching.numTaskqueueReadPartitions=1',
      'matching.numTaskqueueWritePartitions=1',
      'matching.useNewMatcher=true',
    ]);
  });

  it('does not wait for the disk at every step', () => {
    expect(pairs(args, '--sqlite-pragma')).toEqual(['journal_mode=wal', 'synchronous=1']);
  });

  it('knows our search attributes', () => {
    expect(pairs(args, '--search-attribute').sort()).toEqual([
      'FailureCode=Keyword',
      'MediaKind=Keyword',
      'MediaStage=Keyword',
      'Tenant=Keyword',
    ]);
  });

  it('is built at a pinned version, without a C compiler', () => {
    expect(temporalSource('').build).toMatchObject({
      command: 'go',
      args: ['install', '-v', '-ldflags=-s -w', 'github.com/temporalio/cli/cmd/temporal@v1.5.1'],
      env: { GOBIN: '{out}', CGO_ENABLED: '0' },
    });
  });
});

describe('Kafka', () => {
  const properties = Object.fromEntries(
    kafkaProperties('/state/kafka', { ...DEFAULT_PORTS, kafka: 19092, kafkaController: 19093 }, '0.0.0.0', 6)
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  ) as Record<string, string>;

  it('is one node that is its own controller, and that others can reach', () => {
    expect(properties).toMatchObject({
      'process.roles': 'broker,controller',
      'controller.quorum.voters': '1@127.0.0.1:19093',
      listeners: 'PLAINTEXT://0.0.0.0:19092,CONTROLLER://127.0.0.1:19093',
      'advertised.listeners': 'PLAINTEXT://127.0.0.1:19092',
      'log.dirs': '/state/kafka/log',
    });
  });

  it('needs no second node, and makes no topic by accident', () => {
    expect(properties).toMatchObject({
      'num.partitions': '6',
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
      'auto.create.topics.enable': 'false',
    });
  });

  it('runs its main class from the folder of jars, within 384 MB', () => {
    const { command, args } = kafkaLaunch('/cache/libs', '/state/server.properties');
    expect(command).toBe('java');
    expect(args).toContain('-Xmx384m');
    expect(pairs(args, '-cp')).toEqual(['/cache/libs/*']);
    expect(args.slice(-2)).toEqual(['kafka.Kafka', '/state/server.properties']);
  });

  it('takes a cluster id that begins with a dash', () => {
    expect(kafkaFormat('/libs', '/p', '-abc').args).toContain('--cluster-id=-abc');
  });

  it('pins in the Maven file what it says', () => {
    const pom = kafkaSource('').build!.args.find((arg) => arg.endsWith('pom.xml'))!;
    expect(readFileSync(pom, 'utf8')).toContain(
      `<artifactId>kafka_2.13</artifactId>\n      <version>${KAFKA_VERSION}</version>`,
    );
  });
});

describe('MinIO', () => {
  const options = {
    accessKey: 'minioadmin',
    secretKey: 'minioadmin',
    region: 'us-east-1',
    kafka: { ...loadConfig({ files: [], env: {} }).kafka, brokers: ['a:1', 'b:2'] },
  };

  it('tells Kafka of new objects at once, and keeps what it could not tell', () => {
    const { env } = minioLaunch('/bin/minio', '/state/minio', DEFAULT_PORTS, '127.0.0.1', options);
    expect(env).toMatchObject({
      MINIO_NOTIFY_KAFKA_ENABLE_MEDIAMILLNOW: 'on',
      MINIO_NOTIFY_KAFKA_BROKERS_MEDIAMILLNOW: 'a:1,b:2',
      MINIO_NOTIFY_KAFKA_TOPIC_MEDIAMILLNOW: 'media.uploads',
      MINIO_NOTIFY_KAFKA_ENABLE_MEDIAMILL: 'on',
      MINIO_NOTIFY_KAFKA_BROKERS_MEDIAMILL: 'a:1,b:2',
      MINIO_NOTIFY_KAFKA_TOPIC_MEDIAMILL: 'media.uploads',
      MINIO_NOTIFY_KAFKA_QUEUE_DIR_MEDIAMILL: '/state/minio/events',
    });
    expect(env).not.toHaveProperty('MINIO_NOTIFY_KAFKA_QUEUE_DIR_MEDIAMILLNOW');
    expect(notificationArns('us-east-1')).toEqual([
      'arn:minio:sqs:us-east-1:MEDIAMILLNOW:kafka',
      'arn:minio:sqs:us-east-1:MEDIAMILL:kafka',
    ]);
  });

  it('tells a Kafka that asks who it is', () => {
    const kafka = {
      ...options.kafka,
      tls: 'on',
      saslMechanism: 'scram-sha-512',
      username: 'u',
      password: 'p',
    } as const;
    const { env } = minioLaunch('/bin/minio', '/s', DEFAULT_PORTS, '127.0.0.1', { ...options, kafka });
    expect(env).toMatchObject({
      MINIO_NOTIFY_KAFKA_TLS_MEDIAMILL: 'on',
      MINIO_NOTIFY_KAFKA_SASL_MEDIAMILL: 'on',
      MINIO_NOTIFY_KAFKA_SASL_MECHANISM_MEDIAMILL: 'sha512',
      MINIO_NOTIFY_KAFKA_SASL_USERNAME_MEDIAMILL: 'u',
      MINIO_NOTIFY_KAFKA_SASL_PASSWORD_MEDIAMILL: 'p',
    });
  });

  it('does not offer default credentials to the network', () => {
    const launch = (secretKey: string) => () =>
      minioLaunch('/bin/minio', '/s', DEFAULT_PORTS, '0.0.0.0', { ...options, secretKey });
    expect(launch('minioadmin')).toThrow('STORAGE_SECRET_KEY');
    expect(launch('of our own')).not.toThrow();
  });
});

describe('PostgreSQL', () => {
  it('uses TCP only: the path of a socket could be too long', () => {
    const { args, stopSignal, orphanSignal } = postgresLaunch('/bin', '/state/data', DEFAULT_PORTS, '127.0.0.1');
    expect(args.slice(0, 4)).toEqual(['-D', '/state/data', '-p', '5432']);
    expect(pairs(args, '-c')).toEqual(
      expect.arrayContaining(['listen_addresses=127.0.0.1', 'unix_socket_directories=']),
    );
    expect([stopSignal, orphanSignal]).toEqual(['SIGINT', 'QUIT']);
  });

  it('asks for a password', () => {
    expect(pairs(postgresInit('/bin', '/data', 'mediamill', '/pw').args, '--auth')).toEqual(['scram-sha-256']);
  });

  it.each([
    ['none', 'postgres'],
    ['namespace', 'unshare --user --map-user=65534 --map-group=65534 -- postgres'],
    ['switch', 'setpriv --reuid=65534 --regid=65534 --clear-groups -- postgres'],
  ] as const)('runs as someone who is not root: %s', (disguise, line) => {
    const { command, args } = disguised(disguise, 'postgres', ['-D', 'x']);
    expect([command, ...args].join(' ')).toBe(`${line} -D x`);
  });

  it('comes with the npm packages', () => {
    expect(postgresSource('').packaged).toMatch(/native\/bin$/);
  });
});

it('reaches a server that listens everywhere by loopback', () => {
  expect(['0.0.0.0', '::', '127.0.0.1', '10.0.0.7'].map(reachable)).toEqual([
    '127.0.0.1',
    '[::1]',
    '127.0.0.1',
    '10.0.0.7',
  ]);
});
