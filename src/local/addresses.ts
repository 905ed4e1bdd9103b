/** Which servers are someone else's, and the configuration under which everything reaches ours. */
import type { Config, ConfigOverrides } from '../config/index.js';
import { DEFAULT_PORTS, reachable, SERVER_NAMES, type Ports, type ServerName } from './servers/types.js';

const DEFAULT_ADDRESS: Record<ServerName, string> = {
  temporal: `127.0.0.1:${DEFAULT_PORTS.temporal}`,
  kafka: `127.0.0.1:${DEFAULT_PORTS.kafka}`,
  minio: `http://127.0.0.1:${DEFAULT_PORTS.minio}`,
  postgres: `127.0.0.1:${DEFAULT_PORTS.postgres}`,
};

/** The group of settings that says where a server is. */
export const SERVER_GROUPS = {
  temporal: 'temporal',
  kafka: 'kafka',
  minio: 'storage',
  postgres: 'catalogue',
} as const satisfies Record<ServerName, keyof Config>;

const VARIABLES: Record<ServerName, string> = {
  temporal: 'TEMPORAL_ADDRESS',
  kafka: 'KAFKA_BROKERS',
  minio: 'STORAGE_ENDPOINT',
  postgres: 'DATABASE_URL',
};

export function addressOf(name: ServerName, config: Config): string {
  switch (name) {
    case 'temporal':
      return config.temporal.address;
    case 'kafka':
      return config.kafka.brokers.join(',');
    case 'minio':
      return config.storage.endpoint;
    case 'postgres':
      return new URL(config.catalogue.url).host;
  }
}

/**
 * Servers whose address was given: they are used as they are. An address that is the default counts
 * as given only by its environment variable, because a file with all defaults gives nothing.
 */
export function givenServers(config: Config, env: NodeJS.ProcessEnv = process.env): ServerName[] {
  return SERVER_NAMES.filter(
    (name) => addressOf(name, config) !== DEFAULT_ADDRESS[name] || Boolean(env[VARIABLES[name]]),
  );
}

/** The base configuration with the addresses of the servers that we run ourselves, and free ports for our own. */
export function stackConfig(base: Config, ours: readonly ServerName[], ports: Ports, bindHost: string): Config {
  const host = reachable(bindHost);
  const overrides: { [name in ServerName]: () => ConfigOverrides } = {
    temporal: () => ({
      temporal: { address: `${host}:${ports.temporal}`, uiUrl: `http://${host}:${ports.temporalUi}` },
    }),
    kafka: () => ({ kafka: { brokers: [`${host}:${ports.kafka}`], tls: 'off', saslMechanism: 'none' } }),
    minio: () => ({ storage: { endpoint: `http://${host}:${ports.minio}` } }),
    postgres: () => {
      const url = new URL(base.catalogue.url);
      url.host = `${host}:${ports.postgres}`;
      return { catalogue: { url: url.href } };
    },
  };
  const own = merge(base, { http: { port: ports.http }, grpc: { port: ports.grpc }, codec: { port: ports.codec } });
  return ours.reduce((config, name) => merge(config, overrides[name]()), own);
}

export function merge(config: Config, overrides: ConfigOverrides): Config {
  const merged: Record<string, unknown> = { ...config };
  for (const [group, values] of Object.entries(overrides)) {
    merged[group] = { ...config[group as keyof Config], ...values };
  }
  return merged as Config;
}
