/**
 * `npm run bench:kills`: video workers die at random moments, by `kill -9`, while ten videos are in the works; a new
 * worker takes the place of each. Printed for each kill: what it was at, and how much of it has to be made again.
 * Afterwards every asset must be `ready`, announced once, verify, and have left nothing behind.
 *
 * `BENCH_KILLS`, `BENCH_SEED`: how many, and which. Exits with 1 when anything was lost, made twice, stuck or left.
 */
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { configEnv } from '../src/config/index.js';
import type { Config } from '../src/config/schema.js';
import { FINAL_STATES } from '../src/contracts/assets.js';
import { RESULT_TYPES, type CloudEvent, type StateChanged } from '../src/contracts/results.js';
import { workPrefix } from '../src/media/video/layout.js';
import { table } from '../src/starters/cli/format.js';
import { withSession, type Session } from '../src/starters/cli/session.js';
import { upload, type Upload } from '../src/starters/cli/upload.js';
import { descendants } from '../test/support/processes.js';
import { readTopic } from '../test/support/topic.js';
import type { OwnProcess } from '../test/support/worker.js';
import { ownTenant } from './support/anew.js';
import { makeFilm } from './support/film.js';
import { lossOf } from './support/loss.js';
import { setting } from './support/numbers.js';
import { randomFrom } from './support/random.js';
import { withBenchServers, withProcesses } from './support/stack.js';

const KILLS = setting('BENCH_KILLS', 50);
const SEED = setting('BENCH_SEED', 1);
const VIDEOS = 10;
const SECONDS = 40;
const WORKERS = 2;
const SEGMENT_SECONDS = 4;
/** Longest wait before a worker that encodes is killed, and the bound for everything to end after the last kill. */
const WAIT_MS = 4_000;
const BOUND_MS = 300_000;

const run = promisify(execFile);
const random = randomFrom(SEED);

interface Worker {
  readonly process: OwnProcess;
  readonly scratch: string;
}

await withBenchServers(async ({ config, dir }) => {
  const film = await makeFilm(join(dir, 'film.mp4'), { seconds: SECONDS, width: 640, height: 360, kbps: 1500 });
  await withProcesses((start) =>
    withSession(config, async (session) => {
      const scratchOf = (path: string): Config => ({ ...config, scratch: { ...config.scratch, dir: path } });
      await start('workers/media.js', config);
      await start('workers/publish.js', config);
      await start('workers/image.js', scratchOf(join(dir, 'image')));
      await start('starters/kafka/main.js', config);
      const newWorker = async (): Promise<Worker> => {
        const scratch = await mkdtemp(join(dir, 'video-'));
        return { process: await start('workers/video.js', scratchOf(scratch)), scratch };
      };
      const workers = await Promise.all(Array.from({ length: WORKERS }, newWorker));

      const uploads: Upload[] = [];
      const rows = [['KILL', 'AT s', 'WORK', 'WHOLE, NOT STORED', 'MADE AGAIN s AT MOST']];
      const started = Date.now();
      let worst = 0;
      for (let kill = 1; kill <= KILLS; kill++) {
        // Ten in the works until the last kill.
        while ((await open(session, uploads)) < VIDEOS)
          uploads.push(await upload(session, film, { tenant: ownTenant() }));
        const victim = Math.floor(random() * WORKERS);
        await untilBusy(workers[victim]!);
        await sleep(random() * WAIT_MS);
        const { process: dying, scratch } = workers[victim]!;
        dying.kill('SIGKILL');
        await dying.exited;
        workers[victim] = await newWorker();
        for (const { step, whole, begun } of await lossOf(session, scratch)) {
          const again = (whole + (begun ? 1 : 0)) * SEGMENT_SECONDS;
          if (step.startsWith('chunk')) worst = Math.max(worst, again);
          rows.push([`${kill}`, ((Date.now() - started) / 1000).toFixed(0), step, `${whole}`, `${again}`]);
        }
        console.error(`kill ${kill} of ${KILLS}, ${uploads.length} videos`);
      }
      console.log(`${KILLS} kills of ${WORKERS} video workers, seed ${SEED}\n${table(rows)}\n`);
      const stuck = await untilAllEnd(session, uploads);
      console.log(`made again by one kill: at most ${worst} s of each rung (aim <= ${SEGMENT_SECONDS})`);
      const problems = [...stuck, ...(await problemsOf(session, config, uploads))];
      for (const problem of problems) console.log(`BAD  ${problem}`);
      console.log(`${uploads.length} videos, ${problems.length} problems`);
      process.exitCode = problems.length === 0 && worst <= SEGMENT_SECONDS ? 0 : 1;
    }),
  );
});

async function open({ catalogue }: Session, uploads: readonly Upload[]): Promise<number> {
  const rows = await Promise.all(uploads.map(({ assetId }) => catalogue.find(assetId)));
  return rows.filter((row) => !row || !FINAL_STATES.includes(row.state)).length;
}

async function untilBusy({ process: { pid } }: Worker): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!descendants(pid).some(({ name }) => /^ff(mpeg|probe)$/.test(name)) && Date.now() < deadline) await sleep(50);
}

/** @returns what has not ended in time */
async function untilAllEnd(session: Session, uploads: readonly Upload[]): Promise<string[]> {
  const deadline = Date.now() + BOUND_MS;
  while ((await open(session, uploads)) > 0 && Date.now() < deadline) await sleep(500);
  const problems: string[] = [];
  for (const { assetId, workflowId } of uploads) {
    const { status } = await session.temporal.workflow.getHandle(workflowId).describe();
    const row = await session.catalogue.find(assetId);
    if (!row || !FINAL_STATES.includes(row.state)) problems.push(`${assetId} is stuck: ${status.name}, ${row?.state}`);
  }
  return problems;
}

async function problemsOf(session: Session, config: Config, uploads: readonly Upload[]): Promise<string[]> {
  const { catalogue, store } = session;
  const problems: string[] = [];
  const known = new Set(uploads.map(({ assetId }) => assetId));
  for await (const { key } of store.list(config.storage.mediaBucket, '')) {
    const assetId = /^assets\/([^/]+)\/g1\//.exec(key)?.[1];
    if (!assetId || !known.has(assetId)) problems.push(`nobody's object: ${key}`);
    else if (key.startsWith(workPrefix({ assetId, generation: 1 }))) problems.push(`left behind: ${key}`);
  }
  const events = (await readTopic(config, config.kafka.resultsTopic)).map(
    ({ value }) => JSON.parse(value!.toString()) as CloudEvent<StateChanged>,
  );
  for (const { assetId } of uploads) {
    const row = await catalogue.find(assetId);
    if (row?.state !== 'ready')
      problems.push(`${assetId} is ${row?.state}: ${JSON.stringify(row?.error ?? row?.document?.missing)}`);
    const history = await catalogue.history(assetId);
    const published = history.filter(({ to }) => to === 'ready' || to === 'partial').length;
    if (published !== 1) problems.push(`${assetId} was published ${published} times`);
    const ready = events.filter(
      ({ type, data }) => type === RESULT_TYPES.state && data.assetId === assetId && data.state === 'ready',
    );
    const ids = new Set(ready.map(({ id }) => id)).size;
    if (ids !== 1) problems.push(`${assetId}: ${ids} different events say that it is ready`);
    const fault = await verifyFault(config, assetId);
    if (fault) problems.push(`${assetId} does not verify: ${fault}`);
  }
  return problems;
}

/** By the command that an operator has. */
async function verifyFault(config: Config, assetId: string): Promise<string | undefined> {
  const bin = fileURLToPath(new URL('../bin/mediamill.mjs', import.meta.url));
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...configEnv(config) };
  return run(process.execPath, [bin, 'verify', assetId], { env }).then(
    () => undefined,
    (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ''}${error.stderr ?? ''}`.trim(),
  );
}
