/** The whole way of an upload through the API, while what lies behind it is away. */
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pLimit from 'p-limit';

import { countOutbox } from '../../src/catalogue/outbox.js';
import { connect, type Database } from '../../src/catalogue/database.js';
import { openTemporal } from '../../src/client/lazy-connection.js';
import type { Asset } from '../../src/api/assets/schemas.js';
import type { Config } from '../../src/config/schema.js';
import { merge } from '../../src/local/addresses.js';
import { photo } from '../support/estate.js';
import { until } from '../support/processes.js';
import { privateStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const UPLOADS = 200;
const AWAY_MS = 30_000;

const own = privateStack();
let config: Config;
let db: Database;
let url: string;
const processes: OwnProcess[] = [];

async function start(entry: string, ready: string): Promise<OwnProcess> {
  const started = await startProcess(entry, config, ready);
  processes.push(started);
  return started;
}

const startWorkers = () => start('workers/all.js', 'worker ready');

beforeAll(async () => {
  config = merge(own.stack.config, { http: { port: 0 }, kafka: { sessionSeconds: 6 } });
  db = connect(config.catalogue);
  const http = await start('starters/http/main.js', 'http server ready');
  const line = http.log.find((text) => text.includes('http server ready'))!;
  url = (JSON.parse(line) as { address: string }).address;
  await start('starters/kafka/main.js', 'starter ready');
}, 60_000);
afterAll(async () => {
  for (const one of processes) one.kill('SIGKILL');
  await Promise.all(processes.map(({ exited }) => exited));
  await db?.destroy();
}, 30_000);

/** Uploads that come in while something is away; each is accepted. */
async function uploads(count: number): Promise<string[]> {
  const limit = pLimit(4);
  const gap = AWAY_MS / count;
  const begun = Date.now();
  const one = async (index: number): Promise<string> => {
    await sleep(Math.max(0, begun + index * gap - Date.now()));
    const response = await fetch(`${url}/v1/assets`, {
      method: 'POST',
      body: await photo(),
      headers: { 'content-type': 'image/jpeg' },
    });
    if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
    return ((await response.json()) as Asset).id;
  };
  return Promise.all(Array.from({ length: count }, (_, index) => limit(one, index)));
}

test('workers, then Kafka, then Temporal away for 30 s each while 200 uploads come in: all ready, none twice', async () => {
  // No worker runs yet.
  const third = Math.floor(UPLOADS / 3);
  const ids = await uploads(third);
  const workers = await startWorkers();

  await own.stack.stopServer('kafka');
  ids.push(...(await uploads(third)));
  expect((await countOutbox(db)).upload).toBeGreaterThan(0);
  await own.stack.startServer('kafka');

  await own.stack.stopServer('temporal');
  ids.push(...(await uploads(UPLOADS - 2 * third)));
  await own.stack.startServer('temporal');

  const ready = () =>
    db.selectFrom('assets').select(['id', 'begun', 'generation']).where('state', '=', 'ready').execute();
  const states = async (): Promise<string> => {
    const rows = await db
      .selectFrom('assets')
      .select(['state', (eb) => eb.fn.countAll().as('n')])
      .groupBy('state')
      .execute();
    return JSON.stringify([rows, await countOutbox(db)]);
  };
  await until('all are ready', async () => (await ready()).length >= UPLOADS, 180_000).catch(async (error: unknown) => {
    throw new Error([String(error), await states(), ...processes.flatMap(({ log }) => log.slice(-15))].join('\n'));
  });
  const rows = await ready();
  expect(rows.map(({ id }) => id).sort()).toEqual([...new Set(ids)].sort());
  expect(rows.every(({ begun, generation }) => begun === 1 && generation === 1)).toBe(true);
  expect(ids).toHaveLength(UPLOADS);

  // Each became ready once, by one workflow.
  const history = await db.selectFrom('asset_history').select('asset_id').where('to_state', '=', 'ready').execute();
  expect(history).toHaveLength(UPLOADS);
  const temporal = openTemporal(config.temporal, 'test');
  const count = async () => (await temporal.workflow.count(`WorkflowType = 'processImage'`)).count;
  await until('all workflows are visible', async () => (await count()) >= UPLOADS, 20_000);
  expect(await count()).toBe(UPLOADS);
  await temporal.connection.close();
  await until('nothing waits to be sent', async () => Object.keys(await countOutbox(db)).length === 0, 30_000);
  workers.kill('SIGTERM');
}, 480_000);
