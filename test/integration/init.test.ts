import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import { connectTemporal } from '../../src/client/connection.js';
import type { Config } from '../../src/config/index.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/names.js';
import { initServers } from '../../src/local/init.js';
import { createLogger } from '../../src/logging/index.js';
import { createAdmin } from '../../src/messaging/kafka.js';
import { createObjectStore } from '../../src/storage/index.js';
import { useStack } from '../support/stack.js';

const stack = useStack();

it('makes all that is missing in servers of others, and nothing the second time', async () => {
  const given = await stack.isolated({ database: 'empty' });
  const name = `init-${randomBytes(6).toString('hex')}`;
  const config: Config = {
    ...given,
    temporal: { ...given.temporal, namespace: name },
    kafka: {
      ...given.kafka,
      uploadsTopic: `${name}.in`,
      dlqTopic: `${name}.dlq`,
      resultsTopic: `${name}.out`,
      partitions: 2,
    },
    storage: { ...given.storage, uploadsBucket: `${name}-in`, mediaBucket: `${name}-out` },
  };
  const client = await connectTemporal(config.temporal);
  try {
    const { connection } = client.temporal;
    await connection.workflowService.registerNamespace({
      namespace: name,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    // The front end hears of a new namespace from its cache, which it refreshes by itself.
    const known = () =>
      connection.operatorService.listSearchAttributes({ namespace: name }).then(
        () => true,
        () => false,
      );
    while (!(await known())) await sleep(200);

    const first: string[] = [];
    await initServers(config, { announce: false, report: (step) => first.push(step) });
    expect(first.join('\n')).toMatch(/migrated 0001/);
    expect(first.join('\n')).toMatch(/added MediaKind/);

    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: name });
    expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.values(SEARCH_ATTRIBUTES)));

    const second: string[] = [];
    await initServers(config, { announce: false, report: (step) => second.push(step) });
    expect(second.slice(0, 2)).toEqual(['catalogue: up to date', 'search attributes: there']);
  } finally {
    await client.close();
  }

  const store = createObjectStore(config.storage);
  await store.putBytes(config.storage.mediaBucket, 'a', Buffer.from('a'), { contentType: 'text/plain' });
  // Players read outputs without credentials, and uploads not at all.
  expect((await fetch(store.publicUrl(config.storage.mediaBucket, 'a'))).status).toBe(200);
  await store.putBytes(config.storage.uploadsBucket, 'a', Buffer.from('a'), { contentType: 'text/plain' });
  expect((await fetch(store.publicUrl(config.storage.uploadsBucket, 'a'))).status).toBe(403);

  const catalogue = createCatalogue(config.catalogue);
  expect(await catalogue.list({ limit: 1 })).toEqual([]);
  await catalogue.close();

  const admin = await createAdmin(config.kafka, createLogger({ ...config.log, level: 'error' }));
  expect(await admin.readAll(config.kafka.uploadsTopic)).toEqual([]);
  await admin.close();
}, 120_000);
