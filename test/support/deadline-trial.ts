/** Clips with deadlines on real workers: what a test does with a few, and `npm run bench:deadlines` with forty. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Database } from '../../src/catalogue/database.js';
import type { AssetDocument } from '../../src/contracts/assets.js';
import type { Film, Mill } from './mill.js';
import { until } from './processes.js';

const run = promisify(execFile);
export const CLIP_SECONDS = 3;
const FPS = 25;
/** `temporal.api.enums.v1.PendingActivityState` */
const STARTED = 2;
/** Partial publications last for seconds. Milliseconds. */
const LOOK_MS = 200;

export interface Trial {
  readonly mill: Mill;
  readonly db: Database;
  readonly clip: string;
  readonly profile: string;
}

export interface Row {
  readonly id: string;
  readonly state: string;
  readonly publish_by: Date;
  readonly first_published_at: Date | null;
  readonly deadline_state: string | null;
  readonly document: AssetDocument | null;
}

/** A picture that is not easy to encode, with sound. */
export async function makeClip(path: string, width: number, height: number, seconds = CLIP_SECONDS): Promise<string> {
  const picture = `testsrc2=size=${width}x${height}:rate=${FPS}:duration=${seconds},noise=alls=12:allf=t`;
  await run('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', picture],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '18', '-pix_fmt', 'yuv420p', '-c:a', 'aac', path],
  ]);
  return path;
}

/** In the order of the films. */
export async function rowsOf({ db }: Pick<Trial, 'db'>, films: readonly Film[]): Promise<Row[]> {
  const ids = films.map(({ job }) => job.assetId);
  const found = (await db
    .selectFrom('assets')
    .select(['id', 'state', 'publish_by', 'first_published_at', 'deadline_state', 'document'])
    .where('id', 'in', ids)
    .execute()) as Row[];
  const byId = new Map(found.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** Seconds for each of some that are made side by side, until it is published first. */
export async function secondsEach(trial: Trial, count: number, name: string, publishBy?: string): Promise<number> {
  const { mill, clip, profile } = trial;
  const startedAt = Date.now();
  const films = await Promise.all(
    Array.from({ length: count }, (_, i) => mill.submit(clip, `${name}-${i}.mp4`, { profile, publishBy })),
  );
  await Promise.all(films.map(({ handle }) => handle.result()));
  const ends = (await rowsOf(trial, films)).map((row) => row.first_published_at!.getTime());
  return (Math.max(...ends) - startedAt) / 1000 / count;
}

/**
 * Clips that are needed within so many seconds from now, the tightest submitted last. A worker dies over one of the
 * tightest, another one takes its place; when a third is published, `disturb` is called.
 *
 * @param windows seconds, ascending
 * @returns rows in the order of the deadlines; `early`: what was published of those that were not whole at first
 */
export async function meetDeadlines(trial: Trial, windows: readonly number[], disturb: () => Promise<void>) {
  const { mill, clip, profile } = trial;
  const startedAt = Date.now();
  const films = new Map<number, Film>();
  for (const i of [...windows.keys()].toReversed()) {
    const publishBy = new Date(startedAt + windows[i]! * 1000).toISOString();
    films.set(i, await mill.submit(clip, `clip-${i}.mp4`, { profile, publishBy }));
  }
  const all = windows.map((_, i) => films.get(i)!);

  const early = new Map<string, AssetDocument>();
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      for (const { id, state, document } of await rowsOf(trial, all))
        if (state === 'partial' && document && !early.has(id)) early.set(id, document);
      await sleep(LOOK_MS);
    }
  })();
  try {
    const killed = await killOver(mill, all.slice(0, Math.ceil(all.length / 5)));
    await mill.start('video');
    await until(
      'a third is published',
      async () => (await rowsOf(trial, all)).filter((row) => row.first_published_at).length >= all.length / 3,
      600_000,
    );
    await disturb();
    await Promise.all(all.map(({ handle }) => handle.result()));
    return { rows: await rowsOf(trial, all), early, killed };
  } finally {
    over.abort();
    await watching;
  }
}

/** Kills the worker that encodes one of these, by `kill -9`. @returns which */
async function killOver(mill: Mill, films: readonly Film[]): Promise<Film> {
  let killed: Film | undefined;
  await until(
    'one of the tightest is encoded',
    async () => {
      for (const film of films) {
        const worker = await encoderOf(mill, film);
        if (!worker) continue;
        worker.kill('SIGKILL');
        killed = film;
        return true;
      }
      return false;
    },
    120_000,
  );
  return killed!;
}

async function encoderOf(mill: Mill, { handle }: Film) {
  const { pendingActivities } = (await handle.describe()).raw;
  const step = pendingActivities?.find(
    ({ activityType, state }) => activityType?.name === 'encodeChunk' && Number(state) === STARTED,
  );
  return mill.workers.find(({ pid }) => step?.lastWorkerIdentity?.startsWith(`${pid}@`));
}

/** Of two orders of the same things, -1 to 1 (Spearman). */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranks = (all: readonly number[]) => all.map((one) => all.filter((other) => other < one).length);
  const [x, y] = [ranks(a), ranks(b)];
  const n = a.length;
  const squares = x.reduce((sum, rank, i) => sum + (rank - y[i]!) ** 2, 0);
  return 1 - (6 * squares) / (n * (n ** 2 - 1));
}
