/**
 * `npm run bench:scale`: what a second worker brings. One video by one video worker that has one core, then by two
 * that have one core each; the same with a share of a core each, so that on a machine of two cores all else (store,
 * Temporal, Kafka, the other workers) keeps one for itself; and, from what was measured, on paper: 1, 8, 64 and 512
 * such workers.
 *
 * Aim: speed-up >= 1.8 from one to two. `BENCH_SECONDS`, `BENCH_HEIGHT`, `BENCH_ROUNDS`: the film, and the rounds.
 * `BENCH_SHARE` (0.5): of a core; 0: without that part, for machines where control groups can't be made.
 */
import type { temporal } from '@temporalio/proto';
import { join } from 'node:path';

import type { Config } from '../src/config/schema.js';
import { duration, table } from '../src/starters/cli/format.js';
import { withSession, type Session } from '../src/starters/cli/session.js';
import type { OwnProcess } from '../test/support/worker.js';
import { withCoreShares } from './support/core-shares.js';
import { wall, type Costs } from './support/fleet-model.js';
import { makeFilm } from './support/film.js';
import { median, setting, spread } from './support/numbers.js';
import { planOf, publish, type Published } from './support/publish.js';
import { withBenchServers, withProcesses } from './support/stack.js';

const SECONDS = setting('BENCH_SECONDS', 120);
const HEIGHT = setting('BENCH_HEIGHT', 720);
const ROUNDS = setting('BENCH_ROUNDS', 2);
const SHARE = setting('BENCH_SHARE', 0.5);

/** As in `src/workflows/media-maker.ts`. */
const LANES = 16;
const FLEETS = [1, 2, 8, 64, 512];
const LENGTHS = [600, 3600, 36_000];

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** A step as the history tells it. Milliseconds since the epoch. */
interface Step {
  readonly type: string;
  readonly scheduled: number;
  readonly started: number;
  readonly ended: number;
}

const at = ({ eventTime }: HistoryEvent): number =>
  Number(eventTime?.seconds ?? 0) * 1000 + Number(eventTime?.nanos ?? 0) / 1e6;

async function stepsOf(session: Session, workflowId: string): Promise<{ from: number; to: number; steps: Step[] }> {
  const workflow = session.temporal.workflow.getHandle(workflowId);
  // `ready` is said before its step ends.
  await workflow.result();
  const { events } = await workflow.fetchHistory();
  const all = events ?? [];
  const byId = new Map(all.map((event) => [Number(event.eventId), event]));
  const steps = all.flatMap((event): Step[] => {
    const completed = event.activityTaskCompletedEventAttributes;
    if (!completed) return [];
    const scheduled = byId.get(Number(completed.scheduledEventId))!;
    const started = byId.get(Number(completed.startedEventId))!;
    const type = scheduled.activityTaskScheduledEventAttributes?.activityType?.name ?? '';
    return [{ type, scheduled: at(scheduled), started: at(started), ended: at(event) }];
  });
  return { from: at(all[0]!), to: at(all.at(-1)!), steps };
}

/** Seconds in which at least one of them ran: a worker has two at once, which share its core. */
function busySeconds(spans: readonly { readonly from: number; readonly to: number }[]): number {
  let [busy, until] = [0, 0];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    busy += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return busy / 1000;
}

/** When ffmpeg ran for the chunks of an asset, from the workers' log. Milliseconds since the epoch. */
function encodes(workers: readonly OwnProcess[], assetId: string): { from: number; to: number }[] {
  return workers
    .flatMap(({ log }) => log)
    .filter((line) => line.includes('"chunk encoded"') && line.includes(assetId))
    .flatMap((line) => {
      const { time, tool } = JSON.parse(line) as { time: string; tool?: { wallMs: number } };
      const to = Date.parse(time);
      return tool ? [{ from: to - tool.wallMs, to }] : [];
    });
}

async function costsOf(session: Session, workers: readonly OwnProcess[], { upload }: Published): Promise<Costs> {
  const { from, to, steps } = await stepsOf(session, upload.workflowId);
  const chunks = steps.filter(({ type }) => type === 'encodeChunk').sort((a, b) => a.scheduled - b.scheduled);
  const publishing = steps.find(({ type }) => type === 'publishMedia')!;
  const inFfmpeg = busySeconds(encodes(workers, upload.assetId));
  const inSteps = busySeconds(chunks.map(({ started, ended }) => ({ from: started, to: ended })));
  // Time from the end of a chunk to the next schedule after it, where there is one.
  const decisions = chunks.flatMap(({ ended }) => {
    const next = chunks.find(({ scheduled }) => scheduled >= ended);
    return next && next.scheduled - ended < 1000 ? [(next.scheduled - ended) / 1000] : [];
  });
  const segments = SECONDS / 4;
  const last = Math.max(...chunks.map(({ ended }) => ended));
  const publishSeconds = (publishing.ended - publishing.started) / 1000;
  return {
    before: (chunks[0]!.scheduled - from) / 1000,
    perChunk: (inSteps - inFfmpeg) / chunks.length,
    perMediaSecond: inFfmpeg / SECONDS,
    afterPerSegment: publishSeconds / segments,
    after: Math.max(0, (to - last) / 1000 - publishSeconds),
    decision: decisions.length > 0 ? median(decisions) : 0.02,
  };
}

await withBenchServers(async ({ config, dir }) => {
  const size = { width: Math.round((HEIGHT * 16) / 18) * 2, height: HEIGHT };
  const film = await makeFilm(join(dir, 'film.mp4'), { seconds: SECONDS, ...size, kbps: 4000 });
  const warm = await makeFilm(join(dir, 'warm.mp4'), { seconds: 4, ...size });

  /** @param through a command for each video worker, which becomes that worker */
  async function run(
    through: readonly (readonly string[])[],
  ): Promise<{ seconds: number; costs: Costs; chunkSegments: number }> {
    let result;
    await withProcesses(async (start) => {
      const scratch = (name: string): Config => ({ ...config, scratch: { ...config.scratch, dir: join(dir, name) } });
      const workers: OwnProcess[] = [];
      for (const [i, command] of through.entries())
        workers.push(await start('workers/video.js', scratch(`video-${i}`), command));
      await start('workers/image.js', scratch('image'));
      await start('workers/media.js', scratch('media'));
      await start('workers/publish.js', scratch('publish'));
      await start('starters/kafka/main.js', config);
      await withSession(config, async (session) => {
        await publish(session, warm);
        const published = await publish(session, film);
        const { chunkSegments } = await planOf(session, published.upload);
        const costs = await costsOf(session, workers, published);
        result = { seconds: published.seconds, costs, chunkSegments };
      });
    });
    return result!;
  }

  /** One worker, then two, so often. @returns what was measured with one */
  async function compare(what: string, [first, second]: readonly (readonly string[])[]) {
    const rows = [['ROUND', '1 WORKER s', '2 WORKERS s', 'SPEED-UP']];
    const speedUps: number[] = [];
    const singles = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const one = await run([first!]);
      const two = await run([first!, second!]);
      singles.push(one);
      speedUps.push(one.seconds / two.seconds);
      rows.push([`${round}`, one.seconds.toFixed(1), two.seconds.toFixed(1), speedUps.at(-1)!.toFixed(2)]);
      console.error(`${what}: round ${round} of ${ROUNDS}`);
    }
    console.log(`${SECONDS} s of ${HEIGHT}p30, video workers of ${what} each\n${table(rows)}`);
    console.log(`speed-up: ${spread(speedUps, 2)} (aim >= 1.8)\n`);
    return singles.at(-1)!;
  }

  if (SHARE > 0) {
    await withCoreShares(2, SHARE, async (through) => void (await compare(`${SHARE} of a core`, through)));
  }
  const pinned = [0, 1].map((core) => ['taskset', '-c', `${core}`]);
  const { costs, chunkSegments } = await compare('one core', pinned);
  console.log(
    `Measured, one worker:\n${table(Object.entries(costs).map(([name, value]) => [name, `${(value as number).toFixed(3)} s`]))}\n`,
  );
  console.log(
    `On paper: one video of ${HEIGHT}p30, at most ${LANES} chunks of it at once\n${onPaper(costs, chunkSegments, LANES)}\n`,
  );
  console.log(`On paper: as many chunks at once as there are workers\n${onPaper(costs, chunkSegments, Infinity)}`);
});

function onPaper(costs: Costs, chunkSegments: number, lanes: number): string {
  const cell = (seconds: number, workers: number): string => {
    const time = wall(costs, workers, seconds, chunkSegments, lanes);
    return `${duration(time)} (${(wall(costs, 1, seconds, chunkSegments, lanes) / time).toFixed(1)}x)`;
  };
  return table([
    ['WORKERS', ...LENGTHS.map((seconds) => `${duration(seconds)} of film`)],
    ...FLEETS.map((workers) => [`${workers}`, ...LENGTHS.map((seconds) => cell(seconds, workers))]),
  ]);
}
