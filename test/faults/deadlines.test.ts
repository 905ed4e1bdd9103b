/**
 * Deadlines that can not be kept with the whole ladder, whatever the machine: what is whole is published, the rest
 * follows. How many are in time is a question of speed: `npm run bench:deadlines`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { connect, type Database } from '../../src/catalogue/database.js';
import { merge } from '../../src/local/addresses.js';
import { decodeAll } from '../../src/starters/cli/decode-check.js';
import { CLIP_SECONDS, makeClip, meetDeadlines } from '../support/deadline-trial.js';
import { lastWords, openMill, type Mill } from '../support/mill.js';
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
