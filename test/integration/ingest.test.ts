/** `mediamill ingest` on a real stack: real files and simulated encodes, through Temporal and through Kafka. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connectTemporal } from '../../src/client/connection.js';
import type { Config } from '../../src/config/index.js';
import { itemWorkflowIdOf, type ItemOutcome } from '../../src/contracts/ingest.js';
import { makePhoto, makeVideo } from '../../src/local/samples.js';
import { startIngest as spawnIngest, type IngestProcess } from '../support/ingest.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

/** Of this run: names of ingests are for ever. */
const run = randomUUID().slice(0, 8);

const stack = useStack();
let dir: string;
let config: Config;
let processes: OwnProcess[] = [];
const ingests: IngestProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-ingest-'));
  const targets = join(dir, 'targets.yaml');
  await writeFile(targets, 'playout: { type: simulated, startSeconds: 1 }\n');
  config = await stack.isolated({
    database: true,
    overrides: { scratch: { ...stack.config.scratch, dir: join(dir, 'scratch') }, publishers: { targets } },
  });
  processes = await Promise.all([
    startProcess('workers/all.js', config, 'worker ready'),
    startProcess('starters/kafka/main.js', config, 'starter ready'),
  ]);
}, 180_000);
afterAll(async () => {
  for (const one of ingests) one.kill('SIGKILL');
  for (const one of processes) one.kill('SIGTERM');
  await Promise.all(processes.map(({ exited }) => exited));
  if (dir) await rm(dir, { recursive: true, force: true });
}, 60_000);

async function startIngest(...[own, ...how]: Parameters<typeof spawnIngest>): Promise<IngestProcess> {
  const ingest = await spawnIngest(own, ...how);
  ingests.push(ingest);
  return ingest;
}

async function linesFile(lines: readonly (object | string)[]): Promise<string> {
  const file = join(await mkdtemp(join(dir, 'lines-')), 'lines.jsonl');
  await writeFile(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return file;
}

async function runsOf(prefix: string): Promise<string[]> {
  const { temporal, close } = await connectTemporal(config.temporal);
  try {
    const query = `WorkflowId STARTS_WITH '${prefix}' AND TaskQueue = '${config.queues.media}'`;
    const runs = [];
    for await (const { workflowId } of temporal.workflow.list({ query })) runs.push(workflowId);
    return runs;
  } finally {
    await close();
  }
}

async function outcomeOf(ingest: string, id: string): Promise<ItemOutcome> {
  const { temporal, close } = await connectTemporal(config.temporal);
  try {
    return (await temporal.workflow.getHandle(itemWorkflowIdOf({ ingest, id })).result()) as ItemOutcome;
  } finally {
    await close();
  }
}

test.each(['client', 'kafka'])(
  'through %s: files are really encoded, times are simulated, wrong lines are counted; again, nothing is begun',
  async (via) => {
    const [video, photo] = [join(dir, `${via}.mp4`), join(dir, `${via}.jpg`)];
    // Bytes of their own: what was made before is not made again.
    await makeVideo(video, { seconds: via === 'client' ? 2 : 3, width: 320, height: 180 });
    await makePhoto(photo, via === 'client' ? 320 : 330, 240);
    const notes = join(dir, `${via}.txt`);
    await writeFile(notes, `These are notes, for ${via}.\n`);
    const file = await linesFile([
      { id: 'clip', file: video, publicationTimeout: 600 },
      { id: 'photo', file: photo, publishBy: new Date(Date.now() + 600_000).toISOString() },
      { id: 'quick', encodingTime: 0.5, publicationTimeout: 60 },
      { encodingTime: 0.5 },
      { encodingTime: -5 },
      { id: 'gone', file: join(dir, 'gone.mp4') },
      '{"id": "quick", "encodingTime": 0.5, "publicationTimeout": 60}',
      { id: 'text', file: notes },
    ]);
    const args = ['--name', `${via}-${run}`, '--via', via, '--target', 'playout', '--exit'];
    const last: (string | undefined)[] = [];
    for (let round = 0; round < 2; round += 1) {
      const ingest = await startIngest(config, file, args);
      expect([await ingest.exited, ingest.lines]).toEqual([1, expect.anything()]);
      last.push(ingest.lines.at(-1));
      expect(ingest.lines.at(-2)).toContain('duplicates=1 encode_failed=1 open=0');
      expect(ingest.lines).toContainEqual(expect.stringMatching(/^line 5: encodingTime must be >= 0$/));
      expect(ingest.lines).toContainEqual(expect.stringMatching(/^line 6: .*gone\.mp4$/));
      expect(ingest.lines).toContainEqual(expect.stringMatching(/^line 7: the same as line 3$/));
    }
    const stats = 'stats: client_parse_errors=2 client_submitted=5 encoded=4 published=4 publish_failed=0';
    expect(last).toEqual([stats, stats]);
    const clip = await outcomeOf(`${via}-${run}`, 'clip');
    expect(clip).toMatchObject({ encoded: true, published: true });
    expect(clip.publishBy).toBeDefined();

    expect(await runsOf(`ingest/${via}-${run}/item/`)).toHaveLength(5);
    // The files of both ways so far, each made once.
    expect(await runsOf(`media/${config.storage.stagingBucket}/`)).toHaveLength(via === 'client' ? 3 : 6);
  },
  240_000,
);

test('with KEEP_RUNNING it stays, tells Prometheus on PORT, and ends in order when it is asked to', async () => {
  const file = await linesFile([{ encodingTime: 0.2 }, 'no JSON']);
  const args = ['--name', `stays-${run}`, '--target', 'playout'];
  const ingest = await startIngest(config, file, args, { PORT: '0', ENCODERS: '2', KEEP_RUNNING: 'true' });
  await until('it has told its account', () => ingest.lines.some((line) => line.startsWith('stats: ')), 60_000);
  const url = /http:\S+/.exec(ingest.lines.find((line) => line.startsWith('metrics: '))!)![0];
  const page = await (await fetch(url)).text();
  expect(page).toContain('mediamill_ingest_items{stage="published"} 1');
  expect(page).toContain('mediamill_ingest_lines_total{outcome="parse-error"} 1');
  ingest.kill('SIGTERM');
  expect(await ingest.exited).toBe(0);
}, 120_000);

test('stopped in the middle, it says so; what is begun goes on', async () => {
  const file = await linesFile([{ id: 'slow', encodingTime: 6 }]);
  const args = ['--name', `stopped-${run}`, '--target', 'playout'];
  const ingest = await startIngest(config, file, args);
  await until('it encodes', () => ingest.lines.some((line) => line.includes('encoding 1 of 10')), 60_000);
  ingest.kill('SIGTERM');
  expect(await ingest.exited).toBe(1);
  expect(ingest.lines.slice(-2)).toEqual([
    expect.stringContaining('open=1'),
    'stats: client_parse_errors=0 client_submitted=1 encoded=0 published=0 publish_failed=0',
  ]);
  expect(await outcomeOf(`stopped-${run}`, 'slow')).toMatchObject({ encoded: true, published: true });
}, 120_000);

test('a target that nobody configured is refused before anything is begun', async () => {
  const file = await linesFile([{ encodingTime: 1 }]);
  const ingest = await startIngest(config, file, ['--target', 'nowhere']);
  expect(await ingest.exited).toBe(1);
  expect(ingest.lines).toEqual(['There is no target nowhere (publishers.targets): playout.']);
});
