import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  ConfigError,
  configEnv,
  configExample,
  configTable,
  loadConfig,
  redactedConfig,
  type LoadOptions,
} from '../../src/config/index.js';
import { SETTINGS } from '../../src/config/settings.js';

const clean = { files: [], env: {} };

function mistakesOf(options: LoadOptions): readonly string[] {
  try {
    loadConfig(options);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  throw new Error('no mistake was found');
}

describe('loadConfig', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'config-'))));
  afterEach(() => rm(dir, { recursive: true }));
  const yaml = async (text: string, name = 'a.yaml'): Promise<string> => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };

  test('gives the defaults', () => {
    const config = loadConfig(clean);
    expect(config.kafka.brokers).toEqual(['127.0.0.1:9092']);
    expect(config.workers).toMatchObject({ graceSeconds: 5, forceSeconds: 20 });
  });

  test('lets later layers win: files in order, environment, overrides', async () => {
    const first = await yaml('kafka: {partitions: 2, clientId: a, groupId: a, uploadsTopic: a}');
    const second = await yaml('kafka: {clientId: b, groupId: b, uploadsTopic: b}', 'b.yaml');
    const { kafka } = loadConfig({
      files: [first, second],
      env: { KAFKA_GROUP_ID: 'c', KAFKA_UPLOADS_TOPIC: 'c' },
      overrides: { kafka: { uploadsTopic: 'd' } },
    });
    expect(kafka).toMatchObject({ partitions: 2, clientId: 'b', groupId: 'c', uploadsTopic: 'd' });
  });

  test('reads the files that MEDIAMILL_CONFIG names', async () => {
    const files = [await yaml('log: {level: debug}'), await yaml('log: {backend: winston}', 'b.yaml')];
    expect(loadConfig({ env: { MEDIAMILL_CONFIG: files.join(',') } }).log).toEqual({
      level: 'debug',
      backend: 'winston',
    });
  });

  test('derives the names of environment variables and converts their text', () => {
    const env = {
      STARTER_MAX_OPEN_WORKFLOWS: '7',
      LIMITS_MAX_VIDEO_HOURS: '0.5',
      KAFKA_BROKERS: 'a:1, b:2',
      SCRATCH_MAX_GIB: '1.5',
      DATABASE_URL: 'postgres://u:p@db/x',
      LOG_BACKEND: '',
    };
    const config = loadConfig({ files: [], env });
    expect(config.starter.maxOpenWorkflows).toBe(7);
    expect(config.limits.maxVideoHours).toBe(0.5);
    expect(config.kafka.brokers).toEqual(['a:1', 'b:2']);
    expect(config.catalogue.url).toBe('postgres://u:p@db/x');
    expect(config.scratch.maxGiB).toBe(1.5);
    expect(config.log.backend).toBe('pino');
  });

  test('every setting has its own environment variable', () => {
    const names = SETTINGS.map((setting) => setting.env);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(name))).toEqual([]);
  });

  test('reports all mistakes at once, by name and variable', async () => {
    const file = await yaml('kafka: {partitons: 3, clientId: 4}\nkafak: {}\nlog: loud\nstorage:\n');
    const env = {
      KAFKA_PARTITIONS: 'x',
      WORKERS_VIDEO_CONCURRENCY: '-1',
      LOG_LEVEL: 'loud',
      KAFKA_BROKERS: 'nohost',
      STORAGE_ENDPOINT: 'minio:9000',
      LIMITS_MAX_VIDEO_HOURS: '0',
    };
    expect(mistakesOf({ files: [file, join(dir, 'none.yaml')], env })).toEqual([
      expect.stringContaining(`Can not read ${join(dir, 'none.yaml')}: ENOENT`),
      `Unknown setting kafka.partitons in ${file}, did you mean kafka.partitions?`,
      `Expected a text that is not empty for kafka.clientId (KAFKA_CLIENT_ID) in ${file} but received 4`,
      `Unknown setting kafak in ${file}, did you mean kafka?`,
      `Expected settings below log in ${file} but received "loud"`,
      'Expected a list of host:port (comma-separated in the environment) for kafka.brokers (KAFKA_BROKERS) but received ["nohost"]',
      'Expected an integer >= 1 for kafka.partitions (KAFKA_PARTITIONS) but received "x"',
      'Expected a URL that starts with http:// or https:// for storage.endpoint (STORAGE_ENDPOINT) but received "minio:9000"',
      'Expected an integer >= 0 for workers.videoConcurrency (WORKERS_VIDEO_CONCURRENCY) but received -1',
      'Expected a number > 0 for limits.maxVideoHours (LIMITS_MAX_VIDEO_HOURS) but received 0',
      'Expected one of debug, info, warn, error for log.level (LOG_LEVEL) but received "loud"',
    ]);
  });

  test.each(['[1, 2]', 'just text', 'a: [', 'a: 1\na: 2'])(
    'a file that is no mapping of groups is a mistake: %j',
    async (text) => {
      expect(mistakesOf({ files: [await yaml(text)], env: {} })).toHaveLength(1);
    },
  );

  test('an empty file is none', async () => {
    expect(loadConfig({ files: [await yaml('')], env: {} })).toEqual(loadConfig(clean));
  });

  test('the force time must exceed the grace time', () => {
    expect(mistakesOf({ ...clean, overrides: { workers: { graceSeconds: 20, forceSeconds: 20 } } })).toEqual([
      expect.stringMatching(/workers\.forceSeconds \(WORKERS_FORCE_SECONDS\).*WORKERS_GRACE_SECONDS/),
    ]);
  });

  test('a login at the brokers needs user and password', () => {
    const env = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_USERNAME: 'u' };
    expect(mistakesOf({ files: [], env })).toEqual([expect.stringContaining('kafka.password (KAFKA_PASSWORD)')]);
    expect(() => loadConfig({ files: [], env: { ...env, KAFKA_PASSWORD: 'p' } })).not.toThrow();
  });

  test('an endpoint has no path', () => {
    expect(mistakesOf({ files: [], env: { STORAGE_ENDPOINT: 'http://localhost:9000/s3' } })).toEqual([
      expect.stringContaining('storage.endpoint (STORAGE_ENDPOINT)'),
    ]);
  });

  test.each([
    ['STORAGE_ENDPOINT', 'http://minio:9000'],
    ['STORAGE_ENDPOINT', 'http://127.0.0.1.example.org'],
    ['DATABASE_URL', 'postgres://mediamill:mediamill@postgres:5432/mediamill'],
    ['DATABASE_URL', 'postgres://mediamill:%6dediamill@127.0.0.1/x?host=db.example.org'],
    ['HTTP_HOST', '0.0.0.0'],
  ])('refuses default credentials off loopback: %s=%s', (name, value) => {
    // With keys: to serve without them off loopback is another mistake.
    const env = { HTTP_AUTH: 'keys', HTTP_TOKEN_SECRET: 'x'.repeat(32), [name]: value };
    expect(mistakesOf({ files: [], env })).toEqual([expect.stringContaining('refuses to start')]);
  });

  test.each([{ HTTP_PUBLIC_URL: 'https://media.example' }, { GRPC_HOST: '0.0.0.0' }])(
    'refuses to serve without keys off loopback: %j',
    (env) => {
      expect(mistakesOf({ files: [], env })).toEqual([expect.stringContaining('refuses to serve without API keys')]);
      const keys = { HTTP_AUTH: 'keys', HTTP_TOKEN_SECRET: 'x'.repeat(32) };
      expect(() => loadConfig({ files: [], env: { ...env, ...keys } })).not.toThrow();
    },
  );

  test.each([
    { STORAGE_ENDPOINT: 'http://localhost:9000' },
    { STORAGE_ENDPOINT: 'http://[::1]:9000' },
    { STORAGE_ENDPOINT: 'http://127.8.8.8:9000' },
    { STORAGE_ENDPOINT: 'https://s3.example.org', STORAGE_ACCESS_KEY: 'a', STORAGE_SECRET_KEY: 'b' },
    { DATABASE_URL: 'postgres://mediamill:other@postgres/mediamill' },
    {
      HTTP_HOST: '0.0.0.0',
      HTTP_AUTH: 'keys',
      HTTP_TOKEN_SECRET: 'x'.repeat(32),
      DATABASE_URL: 'postgres://mediamill:other@postgres/mediamill',
      STORAGE_ACCESS_KEY: 'a',
      STORAGE_SECRET_KEY: 'b',
    },
    { DATABASE_URL: 'postgres://mediamill:mediamill@localhost/x?host=/run/postgresql' },
  ])('accepts %j', (env) => {
    expect(() => loadConfig({ files: [], env })).not.toThrow();
  });

  test('encryption keys are whole keys, and who decrypts for others asks for a token', () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    const load = (env: Record<string, string>) => loadConfig({ files: [], env });
    expect(load({ TEMPORAL_ENCRYPTION_KEYS: `a:${key},b-2:${key}` }).codec.token).toBe('');
    for (const wrong of ['x', `a:${key}x`, `${key}`, `a:${key},`, 'a:c2hvcnQ=']) {
      const [mistake, ...more] = mistakesOf({ files: [], env: { TEMPORAL_ENCRYPTION_KEYS: wrong } });
      expect(mistake).toContain('temporal.encryptionKeys');
      expect(mistake).not.toContain(key);
      expect(more).toEqual([]);
    }
    const open = { TEMPORAL_ENCRYPTION_KEYS: `a:${key}`, CODEC_HOST: '0.0.0.0' };
    expect(mistakesOf({ files: [], env: open })).toEqual([expect.stringContaining('CODEC_TOKEN')]);
    expect(() => load({ ...open, CODEC_TOKEN: 'secret' })).not.toThrow();
    expect(() => load({ CODEC_HOST: '0.0.0.0' })).not.toThrow();
  });

  test('secrets are never printed', () => {
    const secret = 'hunter2-hunter2';
    const config = loadConfig({
      ...clean,
      overrides: {
        storage: { secretKey: secret, accessKey: secret },
        catalogue: { url: `postgres://u:${secret}@h/d` },
        kafka: { saslMechanism: 'plain', username: 'u', password: secret },
      },
    });
    expect(JSON.stringify(redactedConfig(config))).not.toContain(secret);
    expect(redactedConfig(config).kafka).toEqual({ ...config.kafka, password: '***' });
    expect(mistakesOf({ files: [], env: { DATABASE_URL: `mysql://u:${secret}@h/d` } }).join()).not.toContain(secret);
  });
});

describe('what is derived', () => {
  test('configEnv reproduces a configuration in a child', () => {
    fc.assert(
      fc.property(
        fc.record({
          partitions: fc.integer({ min: 1, max: 99 }),
          brokers: fc.array(fc.constantFrom('a:1', '[::1]:2'), { minLength: 1 }),
        }),
        fc.constantFrom('', 'https://cdn.example.org/m'),
        fc.double({ min: 0.1, max: 1000, noNaN: true }).map((hours) => Number(hours.toFixed(3))),
        (kafka, publicUrl, maxVideoHours) => {
          const config = loadConfig({
            ...clean,
            overrides: { kafka, storage: { publicUrl }, limits: { maxVideoHours } },
          });
          expect(loadConfig({ env: configEnv(config) })).toEqual(config);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('the table names every setting once', () => {
    const rows = configTable().trim().split('\n').slice(2);
    expect(rows).toHaveLength(SETTINGS.length);
    expect(rows[0]).toMatch(/^\| `temporal\.address` \| `TEMPORAL_ADDRESS` \| `127\.0\.0\.1:7233` \| /);
  });

  test('config/example.yaml is up to date and, uncommented, holds the defaults', async () => {
    const example = await readFile(new URL('../../config/example.yaml', import.meta.url), 'utf8');
    expect(example).toBe(configExample());
    const dir = await mkdtemp(join(tmpdir(), 'config-'));
    const file = join(dir, 'all.yaml');
    await writeFile(file, example.replaceAll(/^# ?/gm, '').replace(/^[A-Z].*$/gm, ''));
    expect(loadConfig({ files: [file], env: {} })).toEqual(loadConfig(clean));
    await rm(dir, { recursive: true });
  });
});
