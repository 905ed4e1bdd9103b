import { join } from 'node:path';
import type { Config } from '../../config/index.js';
import { GO } from './requirements.js';
import { isLoopback, type Launch, type Ports, type ServerSource } from './types.js';

/** The last version of an archived upstream. We use no more of it than S3 and bucket notifications. */
export const MINIO_VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';

export function minioSource(configured: string): ServerSource {
  return {
    name: 'minio',
    version: MINIO_VERSION,
    configured,
    variable: 'MINIO_BIN',
    onPath: 'minio',
    fromPath: (command) => command,
    entry: 'minio',
    runs: [],
    build: {
      requires: [GO],
      command: 'go',
      args: ['install', '-v', '-ldflags=-s -w', `github.com/minio/minio@${MINIO_VERSION}`],
      env: { GOBIN: '{out}', CGO_ENABLED: '0' },
    },
  };
}

/**
 * Names of the notification targets in MinIO's environment and ARNs. One tells Kafka at once, and forgets the event
 * when Kafka is away; the other keeps events on disk until Kafka has them, but looks there every 3 s only
 * (`retryInterval` in MinIO's internal/store). So every upload is announced twice: the starter's workflow ids make
 * that harmless, and waiting 2 s for every upload would not be.
 */
const TARGETS = { now: 'MEDIAMILLNOW', kept: 'MEDIAMILL' } as const;

export const notificationArns = (region: string): string[] =>
  Object.values(TARGETS).map((target) => `arn:minio:sqs:${region}:${target}:kafka`);

export interface MinioOptions {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  /** Who hears of new objects: `kafka.uploadsTopic`. */
  readonly kafka: Config['kafka'];
}

/** @throws when default credentials would listen on more than loopback. */
export function minioLaunch(
  binary: string,
  dir: string,
  ports: Ports,
  bindHost: string,
  options: MinioOptions,
): Launch {
  if (options.secretKey === 'minioadmin' && !isLoopback(bindHost)) {
    throw new Error(
      `MinIO would listen on ${bindHost} with its default credentials: set STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY`,
    );
  }
  const common = notificationOf(options.kafka);
  return {
    command: binary,
    args: [
      'server',
      '--quiet',
      '--address',
      `${bindHost}:${ports.minio}`,
      '--console-address',
      `${bindHost}:${ports.minioConsole}`,
      // Its default is in the home folder, which is not ours to write to.
      '--certs-dir',
      join(dir, 'certs'),
      join(dir, 'data'),
    ],
    env: {
      MINIO_ROOT_USER: options.accessKey,
      MINIO_ROOT_PASSWORD: options.secretKey,
      MINIO_SITE_REGION: options.region,
      MINIO_UPDATE: 'off',
      ...targetEnv(TARGETS.now, common),
      ...targetEnv(TARGETS.kept, { ...common, QUEUE_DIR: join(dir, 'events') }),
    },
    stopSignal: 'SIGTERM',
    orphanSignal: 'KILL',
  };
}

function notificationOf(kafka: Config['kafka']): Readonly<Record<string, string>> {
  return {
    ENABLE: 'on',
    BROKERS: kafka.brokers.join(','),
    TOPIC: kafka.uploadsTopic,
    VERSION: '2.8.0',
    ...(kafka.tls === 'on' && { TLS: 'on' }),
    ...(kafka.saslMechanism !== 'none' && {
      SASL: 'on',
      SASL_MECHANISM: kafka.saslMechanism.replace('scram-sha-', 'sha'),
      SASL_USERNAME: kafka.username,
      SASL_PASSWORD: kafka.password,
    }),
  };
}

function targetEnv(target: string, settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`MINIO_NOTIFY_KAFKA_${key}_${target}`, value]),
  );
}
