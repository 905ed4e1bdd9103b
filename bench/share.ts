/**
 * `npm run bench:share`: how much of the time no encoder runs, because the system is busy with itself: starting,
 * scheduling, storing, verifying, publishing. Wall time of the workflow without the stretches in which at least one
 * ffmpeg ran, over all of it.
 *
 * Aim: <= 0.02 of a 10 min source. `BENCH_SECONDS`, `BENCH_HEIGHT`: length and size of the film.
 */
import { join } from 'node:path';

import { duration, table } from '../src/starters/cli/format.js';
import { withSession } from '../src/starters/cli/session.js';
import { loopFilm, makeFilm } from './support/film.js';
import { setting } from './support/numbers.js';
import { watchEncoders } from './support/processes.js';
import { publish } from './support/publish.js';
import { withBenchStack } from './support/stack.js';

const SECONDS = setting('BENCH_SECONDS', 600);
const HEIGHT = setting('BENCH_HEIGHT', 720);
const FILM_SECONDS = 20;
/** Gaps worth a line of their own. Milliseconds. */
const LONG_GAP = 250;

await withBenchStack(async ({ config, dir, worker }) => {
  const size = { width: Math.round((HEIGHT * 16) / 18) * 2, height: HEIGHT };
  const path = await makeFilm(join(dir, 'film.mp4'), { seconds: FILM_SECONDS, ...size, kbps: 2500 });
  const film = { path, seconds: FILM_SECONDS };
  const file = await loopFilm(film, SECONDS, join(dir, 'source.mp4'), 'first');
  await withSession(config, async (session) => {
    await publish(session, path);
    const watch = watchEncoders([worker.pid]);
    const { upload } = await publish(session, file);
    const { startTime, closeTime, historyLength } = await session.temporal.workflow
      .getHandle(upload.workflowId)
      .describe();
    const from = startTime.getTime();
    const to = closeTime!.getTime();
    const encoding = watch.stop().filter((stretch) => stretch.to > from && stretch.from < to);
    const edges = [from, ...encoding.flatMap((stretch) => [stretch.from, stretch.to]), to];
    const gaps = Array.from({ length: edges.length / 2 }, (_, i) => ({
      at: edges[2 * i]!,
      ms: edges[2 * i + 1]! - edges[2 * i]!,
    }));
    const idle = gaps.reduce((sum, { ms }) => sum + Math.max(0, ms), 0);
    const seconds = (value: number): string => `${(value / 1000).toFixed(2)} s`;
    console.log(
      table([
        ['WHAT', 'TIME'],
        ['workflow', seconds(to - from)],
        ['until the first encoder runs', seconds(gaps[0]!.ms)],
        ['between encoders', seconds(idle - gaps[0]!.ms - gaps.at(-1)!.ms)],
        ['after the last encoder', seconds(gaps.at(-1)!.ms)],
      ]),
    );
    for (const { at, ms } of gaps)
      if (ms > LONG_GAP) console.log(`  at ${seconds(at - from)}: ${seconds(ms)} without one`);
    console.log(`history: ${historyLength} events`);
    console.log(
      `${duration(SECONDS)} of ${HEIGHT}p30: share without an encoder ${(idle / (to - from)).toFixed(4)} (aim <= 0.02)`,
    );
  });
});
