import { join } from 'node:path';
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
  /** Brokers and topic that hear of new objects. */
  readonly brokers: readonly string[];
  readonly topic: string;
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
  const common = { ENABLE: 'on', BROKERS: options.brokers.join(','), TOPIC: options.topic, VERSION: '2.8.0' };
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

function targetEnv(target: string, settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`MINIO_NOTIFY_KAFKA_${key}_${target}`, value]),
  );
}
