import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { givenServers, stackConfig } from '../../src/local/addresses.js';
import { DEFAULT_PORTS } from '../../src/local/servers/types.js';

const defaults = loadConfig({ files: [], env: {} });

describe("which servers are someone else's", () => {
  it('none by default', () => {
    expect(givenServers(defaults, {})).toEqual([]);
  });
  it('those with another address', () => {
    const config = loadConfig({
      files: [],
      env: { KAFKA_BROKERS: 'k1:9092,k2:9092', DATABASE_URL: 'postgres://u:p@db/x' },
    });
    expect(givenServers(config, {})).toEqual(['kafka', 'postgres']);
  });
  it('the default address counts when its variable says so', () => {
    expect(givenServers(defaults, { TEMPORAL_ADDRESS: '127.0.0.1:7233' })).toEqual(['temporal']);
  });
});

describe('the configuration of the stack', () => {
  const ports = { ...DEFAULT_PORTS, temporal: 1001, temporalUi: 1002, kafka: 1003, minio: 1004, postgres: 1005 };

  it('has the addresses of our servers, and keeps credentials and database', () => {
    const config = stackConfig(defaults, ['temporal', 'kafka', 'minio', 'postgres'], ports, '127.0.0.1');
    expect(config.temporal).toMatchObject({
      address: '127.0.0.1:1001',
      uiUrl: 'http://127.0.0.1:1002',
      namespace: 'default',
    });
    expect(config.kafka.brokers).toEqual(['127.0.0.1:1003']);
    expect(config.storage.endpoint).toBe('http://127.0.0.1:1004');
    expect(config.catalogue.url).toBe('postgres://mediamill:mediamill@127.0.0.1:1005/mediamill');
  });
  it('speaks to our own Kafka as that wants it, whatever others want', () => {
    const strict = loadConfig({
      files: [],
      env: { KAFKA_TLS: 'on', KAFKA_SASL_MECHANISM: 'plain', KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p' },
    });
    expect(stackConfig(strict, ['kafka'], ports, '127.0.0.1').kafka).toMatchObject({
      tls: 'off',
      saslMechanism: 'none',
    });
    expect(stackConfig(strict, ['minio'], ports, '127.0.0.1').kafka).toEqual(strict.kafka);
  });
  it('leaves the addresses of the others', () => {
    const config = stackConfig(defaults, ['minio'], ports, '0.0.0.0');
    expect(config).toEqual({ ...defaults, storage: { ...defaults.storage, endpoint: 'http://127.0.0.1:1004' } });
  });
});
