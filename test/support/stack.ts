/**
 * Real servers for tests. `useStack` shares one stack in the whole jest run; `isolated` gives a
 * test names that no other test meets; `privateStack` is for tests that stop servers.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import pg from 'pg';
import { configEnv, loadConfig, type Config, type ConfigOverrides } from '../../src/config/index.js';
import { merge } from '../../src/local/addresses.js';
import { prepareCatalogue, prepareKafkaTopics, prepareStore } from '../../src/local/prepare.js';
import { startStack, type Stack, type StackOptions } from '../../src/local/stack.js';

/** A cold start on a loaded machine. */
const START_MS = 180_000;

export interface SharedStack {
  /**
   * The configuration with the default names. The bucket `uploads` of this one, and no other bucket,
   * is announced to Kafka (topic `media.uploads`).
   */
  readonly config: Config;
  /**
   * The same servers under names of the test's own: topics, group, queues, buckets and, when asked
   * for, database. All of them exist when this resolves. New objects of these buckets are announced
   * to nobody: such tests produce their events themselves.
   */
  isolated(options?: IsolationOptions): Promise<Config>;
}

export interface IsolationOptions {
  /** A database of its own, for tests that count rows; `empty`: without our tables. */
  readonly database?: boolean | 'empty';
  readonly overrides?: ConfigOverrides;
}

/** Registers a `beforeAll` that waits for the stack; use what it returns within tests and later hooks. */
export function useStack(): SharedStack {
  let config: Config | undefined;
  beforeAll(async () => {
    config = await sharedConfig();
  }, START_MS);
  const shared = (): Config => {
    if (!config) throw new Error('the stack is there within tests and hooks only');
    return config;
  };
  return {
    get config() {
      return shared();
    },
    isolated: (options) => isolate(shared(), options),
  };
}

async function sharedConfig(): Promise<Config> {
  const url = process.env.MEDIAMILL_TEST_STACK;
  if (!url) throw new Error('jest was started without test/support/global-setup.mjs');
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return (JSON.parse(text) as { config: Config }).config;
}

/** Names of one test: nothing is created. */
export function uniqueNames(config: Config, id = randomUUID().slice(0, 8)): Config {
  return merge(config, {
    kafka: {
      groupId: `starter-${id}`,
      uploadsTopic: `uploads.${id}`,
      dlqTopic: `dlq.${id}`,
      resultsTopic: `results.${id}`,
    },
    storage: { uploadsBucket: `uploads-${id}`, stagingBucket: `staging-${id}`, mediaBucket: `media-${id}` },
    queues: {
      media: `media-${id}`,
      video: `video-${id}`,
      videoUrgent: `video-urgent-${id}`,
      image: `image-${id}`,
      publish: `publish-${id}`,
    },
  });
}

export async function isolate(
  shared: Config,
  { database = false, overrides = {} }: IsolationOptions = {},
): Promise<Config> {
  const id = randomUUID().slice(0, 8);
  let config = merge(uniqueNames(shared, id), overrides);
  if (database)
    config = merge(config, { catalogue: { url: await createDatabase(config.catalogue.url, `test_${id}`) } });
  await Promise.all([
    prepareKafkaTopics(config),
    prepareStore(config, { announce: false }),
    ...(database === true ? [prepareCatalogue(config)] : []),
  ]);
  return config;
}

async function createDatabase(url: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

/** For child processes: every setting, and nothing that the test run's own environment says of them. */
export const processEnv = (config: Config): NodeJS.ProcessEnv => ({ ...process.env, ...configEnv(config) });

/**
 * A stack of the test file's own, for tests that stop servers: `beforeAll(start)`, `afterAll(stop)`.
 * Its buckets and topics have the default names, and `uploads` is announced.
 */
export function privateStack(options: Partial<Omit<StackOptions, 'stateDir'>> = {}): { readonly stack: Stack } {
  let stack: Stack | undefined;
  let stateDir: string | undefined;
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'mediamill-private-'));
    const config = loadConfig({ files: [], overrides: { kafka: { partitions: 3 } } });
    stack = await startStack({ config, ports: 'free', ...options, stateDir });
  }, START_MS);
  afterAll(async () => {
    await stack?.stop();
    if (stateDir) await rm(stateDir, { recursive: true, force: true });
  }, 60_000);
  return {
    get stack() {
      if (!stack) throw new Error('the stack is there within tests and hooks only');
      return stack;
    },
  };
}
