/**
 * `npm run bench:deadlines`: forty clips that are needed ever sooner than their ladders can be made, on real workers.
 *
 * What this machine can do is measured first: a whole ladder, and the least that can be published (the lowest rung,
 * with sound). Then the clips come, the tightest last; the windows are such that half of the ladders fit before the
 * last deadline. A worker is killed over one of the tightest. Aim: none late, each with at least one rung in its whole
 * length, all of them whole in the end.
 *
 * `BENCH_CLIPS` (40). Exits with 1 when the aim is not reached.
 */
import { join } from 'node:path';

import { connect } from '../src/catalogue/database.js';
import { merge } from '../src/local/addresses.js';
import { table } from '../src/starters/cli/format.js';
import { makeClip, meetDeadlines, rankCorrelation, secondsEach, type Row } from '../test/support/deadline-trial.js';
import { openMill } from '../test/support/mill.js';
import { setting } from './support/numbers.js';
import { withBenchServers } from './support/stack.js';

const CLIPS = setting('BENCH_CLIPS', 40);
/** Side by side, to see what one of many takes. */
const SAMPLES = 6;
/** Of the last window: the first one. A death costs about twelve seconds until it is noticed. */
const FIRST_SHARE = 0.2;
const LEAST_SECONDS = 25;

const secondsLate = ({ first_published_at, publish_by }: Row): number =>
  (first_published_at!.getTime() - publish_by.getTime()) / 1000;
const rungsOf = ({ document }: Pick<Row, 'document'>): number =>
  document!.renditions.filter(({ type }) => type === 'video').length;

await withBenchServers(async (servers) => {
  const { dir } = servers;
  const config = merge(servers.config, { workers: { videoConcurrency: 1, urgentConcurrency: 1 } });
  const clip = await makeClip(join(dir, 'clip.mp4'), 1280, 720);
  const mill = await openMill(dir, config, ['media', 'image', 'publish', 'video', 'video']);
  const db = connect(config.catalogue);
  try {
    const trial = { mill, db, clip, profile: 'heavy' };
    const full = await secondsEach(trial, SAMPLES, 'full');
    const least = await secondsEach(trial, SAMPLES, 'least', new Date().toISOString());
    const last = Math.max((CLIPS / 2) * full, LEAST_SECONDS / FIRST_SHARE);
    const first = Math.max(LEAST_SECONDS, last * FIRST_SHARE);
    console.log(
      `one of ${SAMPLES}: whole ladder ${full.toFixed(1)} s, least ${least.toFixed(1)} s; ${CLIPS} ladders take ` +
        `${(CLIPS * full).toFixed(0)} s; windows of ${first.toFixed(0)} to ${last.toFixed(0)} s`,
    );
    const windows = Array.from({ length: CLIPS }, (_, i) => first + (i * (last - first)) / (CLIPS - 1));
    const startedAt = Date.now();
    const { rows, early } = await meetDeadlines(trial, windows, async () => undefined);
    const allWholeAfter = (Date.now() - startedAt) / 1000;
    const late = rows.filter((row) => secondsLate(row) > 0);
    const slack = rows.map((row) => -secondsLate(row)).sort((a, b) => a - b);
    const whole = rows.filter((row) => row.state === 'ready' && rungsOf(row) === 3);
    const order = rankCorrelation(
      rows.map((row) => row.publish_by.getTime()),
      rows.map((row) => row.first_published_at!.getTime()),
    );
    console.log(
      table([
        ['clips', 'in time', 'published before they were whole', 'least slack', 'order by slack', 'whole in the end'],
        [
          String(CLIPS),
          String(CLIPS - late.length),
          `${early.size} (with ${Math.min(3, ...[...early.values()].map((document) => rungsOf({ document })))} rungs or more)`,
          `${slack[0]!.toFixed(1)} s`,
          order.toFixed(2),
          `${whole.length}, after ${allWholeAfter.toFixed(0)} s`,
        ],
      ]),
    );
    const hasLeast = [...early.values()].every((document) => rungsOf({ document }) > 0);
    if (late.length > 0 || !hasLeast || whole.length < CLIPS) process.exitCode = 1;
  } finally {
    await mill.close();
    await db.destroy();
  }
});
