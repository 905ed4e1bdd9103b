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

/** Name of the notification target in MinIO's environment and ARN. */
const TARGET = 'MEDIAMILL';

export const notificationArn = (region: string): string => `arn:minio:sqs:${region}:${TARGET}:kafka`;

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
  const target = {
    ENABLE: 'on',
    BROKERS: options.brokers.join(','),
    TOPIC: options.topic,
    VERSION: '2.8.0',
    // Events wait here while Kafka is down, so that an upload is never unheard.
    QUEUE_DIR: join(dir, 'events'),
  };
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
      ...Object.fromEntries(
        Object.entries(target).map(([key, value]) => [`MINIO_NOTIFY_KAFKA_${key}_${TARGET}`, value]),
      ),
    },
    stopSignal: 'SIGTERM',
    orphanSignal: 'KILL',
  };
}
