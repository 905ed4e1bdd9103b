/** Real encodes against real deadlines, on a machine that can not do all of it in time. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { connect, type Database } from '../../src/catalogue/database.js';
import type { AssetDocument } from '../../src/contracts/assets.js';
import { merge } from '../../src/local/addresses.js';
import { decodeAll } from '../../src/starters/cli/decode-check.js';
import { lastWords, openMill, type Film, type Mill } from '../support/mill.js';
import { until } from '../support/processes.js';
import { privateStack } from '../support/stack.js';

const run = promisify(execFile);
const CLIPS = Number(process.env['CLIPS'] ?? 40);
const SECONDS = 3;
const FPS = 25;

const own = privateStack();
let mill: Mill;
let db: Database;
let dir = '';
let clip = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-deadlines-'));
  clip = join(dir, 'clip.mp4');
  const picture = `testsrc2=size=640x360:rate=${FPS}:duration=${SECONDS},noise=alls=12:allf=t`;
  await run('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', picture],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${SECONDS}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '18', '-pix_fmt', 'yuv420p', '-c:a', 'aac', clip],
  ]);
  const config = merge(own.stack.config, { workers: { videoConcurrency: 1, urgentConcurrency: 1 } });
  mill = await openMill(dir, config, ['media', 'image', 'publish', 'video', 'video']);
  db = connect(config.catalogue);
}, 240_000);
afterAll(async () => {
  await mill?.close();
  await db?.destroy();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

interface Row {
  readonly id: string;
  readonly state: string;
  readonly publish_by: Date;
  readonly first_published_at: Date | null;
  readonly deadline_state: string | null;
  readonly document: AssetDocument | null;
}

const rowsOf = async (films: readonly Film[]): Promise<Row[]> =>
  (await db
    .selectFrom('assets')
    .select(['id', 'state', 'publish_by', 'first_published_at', 'deadline_state', 'document'])
    .where(
      'id',
      'in',
      films.map(({ job }) => job.assetId),
    )
    .execute()) as Row[];

/** Seconds for each of some that are made side by side, until it is published first. */
async function secondsEach(count: number, name: string, publishBy?: string): Promise<number> {
  const startedAt = Date.now();
  const films = await Promise.all(
    Array.from({ length: count }, (_, i) => mill.submit(clip, `${name}-${i}.mp4`, { profile: 'slow', publishBy })),
  );
  await Promise.all(films.map(({ handle }) => handle.result()));
  const ends = (await rowsOf(films)).map((row) => row.first_published_at!.getTime());
  return (Math.max(...ends) - startedAt) / 1000 / count;
}

/** The worker that encodes this one now. */
async function encoderOf({ handle }: Film) {
  const { pendingActivities } = (await handle.describe()).raw;
  const step = pendingActivities?.find(
    ({ activityType, state }) => activityType?.name === 'encodeChunk' && Number(state) === STARTED,
  );
  return mill.workers.find(({ pid }) => step?.lastWorkerIdentity?.startsWith(`${pid}@`));
}
/** `temporal.api.enums.v1.PendingActivityState` */
const STARTED = 2;

/** Of two orders of the same things, -1 to 1. */
function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranks = (all: readonly number[]) => all.map((one) => all.filter((other) => other < one).length);
  const [x, y] = [ranks(a), ranks(b)];
  const n = a.length;
  const squares = x.reduce((sum, rank, i) => sum + (rank - y[i]!) ** 2, 0);
  return 1 - (6 * squares) / (n * (n ** 2 - 1));
}

test('40 clips of which half can not have their full ladder in time: each is published by its deadline, and becomes whole later', async () => {
  // What this machine can do now, whatever else it does.
  const full = await secondsEach(4, 'full');
  const least = await secondsEach(4, 'least', new Date().toISOString());
  const last = Math.max((CLIPS / 2) * full, 2 * CLIPS * least);
  const first = Math.max(40, last / 5);
  const startedAt = Date.now();
  const windows = Array.from({ length: CLIPS }, (_, i) => first + (i * (last - first)) / (CLIPS - 1));
  process.stderr.write(JSON.stringify({ full, least, first, last }));

  // The tightest comes last.
  const films = new Map<number, Film>();
  for (const i of [...windows.keys()].toReversed()) {
    const publishBy = new Date(startedAt + windows[i]! * 1000).toISOString();
    films.set(i, await mill.submit(clip, `clip-${i}.mp4`, { profile: 'slow', publishBy }));
  }
  const all = windows.map((_, i) => films.get(i)!);

  const early = new Map<string, AssetDocument>();
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      for (const { id, state, document } of await rowsOf(all))
        if (state === 'partial' && document && !early.has(id)) early.set(id, document);
      await sleep(300);
    }
  })();

  try {
    // A worker dies over the tightest deadline.
    let killed: Film | undefined;
    await until(
      'one of the tightest is encoded',
      async () => {
        for (const film of all.slice(0, 8)) {
          const worker = await encoderOf(film);
          if (!worker) continue;
          worker.kill('SIGKILL');
          killed = film;
          return true;
        }
        return false;
      },
      60_000,
    );
    await mill.start('video');
    await until(
      'a third is published',
      async () => (await rowsOf(all)).filter((row) => row.first_published_at).length >= CLIPS / 3,
      600_000,
    );
    await own.stack.stopServer('temporal');
    await own.stack.startServer('temporal');

    await Promise.all(all.map(({ handle }) => handle.result()));
    isOver = true;
    await watching;
    const rows = new Map((await rowsOf(all)).map((row) => [row.id, row]));
    const ordered = all.map(({ job }) => rows.get(job.assetId)!);
    const late = ordered
      .map((row, i) => ({ i, late: (row.first_published_at!.getTime() - row.publish_by.getTime()) / 1000 }))
      .filter((one) => one.late > 0);
    process.stderr.write(
      JSON.stringify({
        early: early.size,
        killed: killed && all.indexOf(killed),
        late,
        slack: ordered.map((row) => Math.round((row.publish_by.getTime() - row.first_published_at!.getTime()) / 1000)),
      }),
    );
    expect(late).toEqual([]);
    expect(ordered.map(({ deadline_state }) => deadline_state)).toEqual(all.map(() => 'met'));

    // At least one rung in its whole length, with its sound, from the first publication on.
    expect(early.size).toBeGreaterThanOrEqual(CLIPS / 4);
    for (const { renditions } of early.values()) {
      const rungs = renditions.filter(({ type }) => type === 'video');
      expect(rungs.length).toBeGreaterThan(0);
      for (const { duration } of rungs) expect(duration).toBeCloseTo(SECONDS, 1);
      expect(renditions.some(({ type }) => type === 'audio')).toBe(true);
    }
    // And everything in the end.
    expect(ordered.map(({ state }) => state)).toEqual(all.map(() => 'ready'));
    for (const { document } of ordered)
      expect(document!.renditions.filter(({ type }) => type === 'video')).toHaveLength(3);
    for (const row of [ordered[0]!, ordered[CLIPS - 1]!, rows.get(killed!.job.assetId)!])
      expect((await decodeAll(row.document!)).filter(({ problem }) => problem)).toEqual([]);

    const by = ordered.map((row) => row.publish_by.getTime());
    const at = ordered.map((row) => row.first_published_at!.getTime());
    expect(rankCorrelation(by, at)).toBeGreaterThan(0.6);
  } catch (error) {
    throw new Error(`${String(error)}\n${lastWords(mill)}`, { cause: error });
  } finally {
    isOver = true;
    await watching;
  }
}, 1_200_000);
