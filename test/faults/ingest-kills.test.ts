/** Proof: workers, publishers, the ingest itself and Temporal die during an ingest, and its account still adds up. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { connectTemporal } from '../../src/client/connection.js';
import type { Config } from '../../src/config/schema.js';
import { ingestPrefixOf } from '../../src/contracts/ingest.js';
import { merge } from '../../src/local/addresses.js';
import { startIngest, type IngestProcess } from '../support/ingest.js';
import { privateStack } from '../support/stack.js';
import { seeded, shuffled } from '../support/starter.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const own = privateStack();
const ITEMS = 60;
const HELD_BACK = 6;
const KILLS = [
  'media',
  'media',
  'media',
  'publish',
  'publish',
  'publish',
  'ingest',
  'ingest',
  'ingest',
  'temporal',
] as const;
type Role = 'media' | 'publish';

let dir: string;
let config: Config;
const fleet: Record<Role, OwnProcess[]> = { media: [], publish: [] };
let ingest: IngestProcess | undefined;

const begin = (role: Role): Promise<OwnProcess> => startProcess(`workers/${role}.js`, config, 'worker ready');

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-ingest-'));
  const targets = join(dir, 'targets.yaml');
  await writeFile(targets, 'playout: { type: simulated, startSeconds: 2 }\n');
  const { stack } = own;
  config = merge(stack.config, {
    publishers: { targets },
    scratch: { ...stack.config.scratch, dir: join(dir, 'scratch') },
  });
  for (const role of ['media', 'publish'] as const) fleet[role] = await Promise.all([begin(role), begin(role)]);
}, 120_000);
afterAll(async () => {
  const all = [...Object.values(fleet).flat(), ...(ingest ? [ingest] : [])];
  for (const one of all) one.kill('SIGKILL');
  await Promise.all(all.map(({ exited }) => exited));
  if (dir) await rm(dir, { recursive: true, force: true });
}, 30_000);

test('ten kills, and every item is encoded and published once', async () => {
  const random = seeded(11);
  const items = Array.from({ length: ITEMS }, (_, n) => {
    const encodingTime = Math.round(5 + random() * 15) / 10;
    return JSON.stringify({ id: `item-${n}`, encodingTime, publicationTimeout: encodingTime + 2 + random() * 20 });
  });
  const lines = [...items.slice(0, 7), 'this is no JSON', ...items.slice(7), items[3]!];
  const args = ['--name', 'kills', '--rate', '1.5/s', '--encoders', '6', '--target', 'playout'];
  /** From the beginning, as whoever takes it up again; the last lines come when nobody dies any more. */
  const startAgain = async (): Promise<IngestProcess> => {
    const started = await startIngest(config, undefined, args);
    started.feed(lines.slice(0, -HELD_BACK));
    return started;
  };
  ingest = await startAgain();
  const killed: string[] = [];
  for (const victim of shuffled(KILLS, random)) {
    await sleep(500 + random() * 2_000);
    killed.push(victim);
    if (victim === 'ingest') {
      ingest.kill('SIGKILL');
      expect(await ingest.exited).toBe('SIGKILL');
      ingest = await startAgain();
    } else if (victim === 'temporal') {
      await own.stack.stopServer('temporal');
      await sleep(1_000);
      await own.stack.startServer('temporal');
    } else {
      const place = Math.floor(random() * 2);
      const dying = fleet[victim][place]!;
      dying.kill('SIGKILL');
      await dying.exited;
      fleet[victim][place] = await begin(victim);
    }
  }
  expect(killed).toHaveLength(10);
  ingest.feed(lines.slice(-HELD_BACK));
  ingest.end();
  const code = await ingest.exited;
  expect([code, ingest.lines.at(-1)]).toEqual([
    0,
    `stats: client_parse_errors=1 client_submitted=${ITEMS} encoded=${ITEMS} published=${ITEMS} publish_failed=0`,
  ]);
  expect(ingest.lines.at(-2)).toMatch(/^deadlines: .* duplicates=1 encode_failed=0 open=0$/);

  const { temporal, close } = await connectTemporal(config.temporal);
  try {
    const prefix = ingestPrefixOf('kills');
    const ids: string[] = [];
    for await (const run of temporal.workflow.list({ query: `WorkflowId STARTS_WITH '${prefix}'` })) {
      expect([run.workflowId, run.status.name]).toEqual([run.workflowId, 'COMPLETED']);
      ids.push(run.workflowId.slice(prefix.length));
      const { events } = await temporal.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
      const steps = (events ?? []).map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
      expect([run.workflowId, steps.filter((step) => step === 'simulateEncode').length]).toEqual([run.workflowId, 1]);
    }
    expect(ids.sort()).toEqual(Array.from({ length: ITEMS }, (_, n) => `item-${n}`).sort());
  } finally {
    await close();
  }
}, 400_000);
