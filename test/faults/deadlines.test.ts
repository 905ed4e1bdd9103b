/**
 * Deadlines that can not be kept with the whole ladder, whatever the machine: what is whole is published, the rest
 * follows. How many are in time is a question of speed: `npm run bench:deadlines`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { connect, type Database } from '../../src/catalogue/database.js';
import type { AssetDocument } from '../../src/contracts/assets.js';
import { merge } from '../../src/local/addresses.js';
import { decodeAll } from '../../src/starters/cli/decode-check.js';
import { CLIP_SECONDS, makeClip, meetDeadlines, rowsOf } from '../support/deadline-trial.js';
import { lastWords, openMill, type Film, type Mill } from '../support/mill.js';
import { until } from '../support/processes.js';
import { privateStack } from '../support/stack.js';

/** Seconds from now: over before anybody could have made all of it. */
const WINDOWS = [0.5, 0.6, 0.7, 0.8, 0.9, 1];

const own = privateStack();
let mill: Mill;
let db: Database;
let dir = '';
let clip = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-deadlines-'));
  clip = await makeClip(join(dir, 'clip.mp4'), 640, 360);
  const config = merge(own.stack.config, { workers: { videoConcurrency: 1, urgentConcurrency: 1 } });
  mill = await openMill(dir, config, ['media', 'image', 'publish', 'video', 'video']);
  db = connect(config.catalogue);
}, 240_000);
afterAll(async () => {
  await mill?.close();
  await db?.destroy();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

test('a worker dies and Temporal is restarted: each clip is published with what is whole of it, and becomes whole', async () => {
  const trial = { mill, db, clip, profile: 'slow' };
  try {
    const { rows, early, killed } = await meetDeadlines(trial, WINDOWS, async () => {
      await own.stack.stopServer('temporal');
      await own.stack.startServer('temporal');
    });
    expect(rows.map(({ state, deadline_state }) => [state, deadline_state])).toEqual(
      WINDOWS.map(() => ['ready', 'missed']),
    );
    for (const { document } of rows)
      expect(document!.renditions.filter(({ type }) => type === 'video')).toHaveLength(3);

    // At least one rung in its whole length, with its sound, from the first publication on.
    expect(early.size).toBeGreaterThan(0);
    for (const { renditions, missing } of early.values()) {
      const rungs = renditions.filter(({ type }) => type === 'video');
      expect(rungs.length).toBeGreaterThan(0);
      for (const { duration } of rungs) expect(duration).toBeCloseTo(CLIP_SECONDS, 1);
      expect(renditions.some(({ type }) => type === 'audio')).toBe(true);
      expect(missing!.map(({ error }) => error.code)).toEqual(missing!.map(() => 'TO_FOLLOW'));
    }
    const ofKilled = rows.find(({ id }) => id === killed.job.assetId)!;
    for (const { document } of [rows[0]!, ofKilled])
      expect((await decodeAll(document!)).filter(({ problem }) => problem)).toEqual([]);
  } catch (error) {
    throw new Error(`${String(error)}\n${lastWords(mill)}`, { cause: error });
  }
}, 600_000);

test('a film of several chunks is published in its whole length with what is whole of it, and becomes whole', async () => {
  const seconds = 24;
  const film = await makeClip(join(dir, 'film.mp4'), 640, 360, seconds);
  const publishBy = new Date(Date.now() + 2_000).toISOString();
  const submitted = await mill.submit(film, 'film.mp4', { profile: 'slow', publishBy });
  try {
    const row = async () => (await rowsOf({ db }, [submitted]))[0];
    await until('it is published', async () => (await row())?.first_published_at != null, 300_000);
    const { document: early } = (await row())!;
    const rungsOf = ({ renditions }: AssetDocument) => renditions.filter(({ type }) => type === 'video');
    expect(rungsOf(early!).length).toBeGreaterThan(0);
    for (const { duration } of rungsOf(early!)) expect(duration).toBeCloseTo(seconds, 1);
    expect(early!.missing!.map(({ error }) => error.code)).toContain('TO_FOLLOW');

    await submitted.handle.result();
    const { state, document: whole } = (await row())!;
    expect([state, rungsOf(whole!).length]).toEqual(['ready', 3]);
    expect((await decodeAll(whole!)).filter(({ problem }) => problem)).toEqual([]);
    expect(await chunksEncoded(submitted)).toBeGreaterThan(3);
  } catch (error) {
    throw new Error(`${String(error)}\n${lastWords(mill)}`, { cause: error });
  }
}, 600_000);

async function chunksEncoded({ handle }: Film): Promise<number> {
  const { events } = await handle.fetchHistory();
  const steps = events?.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
  return steps?.filter((name) => name === 'encodeChunk').length ?? 0;
}
