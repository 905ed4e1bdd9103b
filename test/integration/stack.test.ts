import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { connectTemporal } from '../../src/client/connection.js';
import type { Config } from '../../src/config/index.js';
import { isFree } from '../../src/local/ports.js';
import { startTimeOf } from '../../src/local/state.js';
import { createLogger } from '../../src/logging/index.js';
import type { EventAdmin } from '../../src/messaging/messaging.js';
import { createAdmin } from '../../src/messaging/kafka.js';
import { createObjectStore } from '../../src/storage/index.js';
import { privateStack, useStack } from '../support/stack.js';

const shared = useStack();

const adminOf = (config: Config): Promise<EventAdmin> =>
  createAdmin(config.kafka, createLogger({ ...config.log, level: 'error' }));

/** Ends when the key has been announced; a test that waits in vain ends at its own time limit. */
async function announced(admin: EventAdmin, topic: string, name: string): Promise<Record<string, unknown>> {
  for (;;) {
    const records = await admin.readAll(topic);
    const events = records.map(({ value }) => JSON.parse(String(value)) as { Key: string });
    const found = events.find(({ Key }) => Key === name);
    if (found) return found;
    await sleep(100);
  }
}

describe('the shared stack', () => {
  let admin: EventAdmin;
  beforeAll(async () => {
    admin = await adminOf(shared.config);
  });
  afterAll(() => admin.close());

  it('announces a new object of an odd key', async () => {
    const { storage, kafka } = shared.config;
    const key = `${randomUUID()}/ü "quoted" #?% & +plus 🎬.txt`;
    await createObjectStore(storage).putBytes(storage.uploadsBucket, key, Buffer.from('hi'), {
      contentType: 'text/plain',
    });
    const event = await announced(admin, kafka.uploadsTopic, `${storage.uploadsBucket}/${key}`);
    expect(event).toMatchObject({ EventName: 's3:ObjectCreated:Put' });
  }, 30_000);

  it('serves outputs to everyone, and uploads to nobody', async () => {
    const { storage } = shared.config;
    const store = createObjectStore(storage);
    const key = `${randomUUID()}.txt`;
    const status = async (bucket: string) => {
      await store.putBytes(bucket, key, Buffer.from('hi'), { contentType: 'text/plain' });
      return (await fetch(store.publicUrl(bucket, key))).status;
    };
    expect(await status(storage.mediaBucket)).toBe(200);
    expect(await status(storage.uploadsBucket)).toBe(403);
  });

  it('knows our search attributes', async () => {
    const { temporal, close } = await connectTemporal(shared.config.temporal);
    const { customAttributes } = await temporal.connection.operatorService.listSearchAttributes({
      namespace: shared.config.temporal.namespace,
    });
    await close();
    expect(Object.keys(customAttributes)).toEqual(
      expect.arrayContaining(['FailureCode', 'MediaKind', 'MediaStage', 'Tenant']),
    );
  });

  it('gives a test names of its own', async () => {
    const [one, other] = await Promise.all([shared.isolated({ database: true }), shared.isolated()]);
    expect(one.kafka.uploadsTopic).not.toBe(other.kafka.uploadsTopic);
    expect(one.queues.video).not.toBe(other.queues.video);
    expect(await admin.lag('nobody', one.kafka.uploadsTopic)).toHaveLength(one.kafka.partitions);
    await createObjectStore(one.storage).putBytes(one.storage.mediaBucket, 'a', Buffer.from('b'), {
      contentType: 'text/plain',
    });
    const client = new pg.Client({ connectionString: one.catalogue.url });
    await client.connect();
    const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM assets');
    await client.end();
    expect(rows).toEqual([{ count: '0' }]);
  }, 30_000);
});

describe('a stack whose servers stop', () => {
  const own = privateStack();

  it('keeps objects, topics, tables and search attributes over a crash and a stop of every server', async () => {
    const { stack } = own;
    const { config, ports } = stack;
    const key = `${randomUUID()}.txt`;
    await createObjectStore(config.storage).putBytes('uploads', key, Buffer.from('hi'), { contentType: 'text/plain' });
    const before = await adminOf(config);
    await announced(before, config.kafka.uploadsTopic, `uploads/${key}`);
    await before.close();

    for (const signal of ['SIGKILL', undefined] as const) {
      const pids = Object.values(stack.pids);
      await Promise.all(stack.servers.map((name) => stack.stopServer(name, signal)));
      expect(pids.filter((pid) => startTimeOf(pid) !== undefined)).toEqual([]);
      expect(stack.pids).toEqual({});
      await Promise.all(stack.servers.map((name) => stack.startServer(name)));
      expect(stack.ports).toEqual(ports);
    }

    expect((await createObjectStore(config.storage).stat('uploads', key)).bytes).toBe(2);
    const admin = await adminOf(config);
    await announced(admin, config.kafka.uploadsTopic, `uploads/${key}`);
    await admin.close();
  }, 180_000);

  it('announces later what was uploaded while Kafka was away', async () => {
    const { stack } = own;
    const { config } = stack;
    await stack.stopServer('kafka');
    const key = `${randomUUID()}.txt`;
    await createObjectStore(config.storage).putBytes('uploads', key, Buffer.from('hi'), { contentType: 'text/plain' });
    await stack.startServer('kafka');
    const admin = await adminOf(config);
    await announced(admin, config.kafka.uploadsTopic, `uploads/${key}`);
    await admin.close();
  }, 120_000);

  it('leaves no process and no port behind', async () => {
    const { stack } = own;
    const pids = Object.values(stack.pids);
    expect(pids).toHaveLength(4);
    await stack.stop();
    expect(pids.filter((pid) => startTimeOf(pid) !== undefined)).toEqual([]);
    expect(await Promise.all(Object.values(stack.ports).map((port) => isFree(port, '127.0.0.1')))).not.toContain(false);
  });
});
