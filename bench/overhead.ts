/**
 * `npm run bench:overhead`: what durability costs. From the upload's event to `ready`, over the bare
 * ffmpeg command that makes the same ladder of the same file, in turns within one run.
 *
 * Aim: at most 1.10.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { makeVideo } from '../src/local/samples.js';
import { follow } from '../src/starters/cli/follow.js';
import { withSession, type Session } from '../src/starters/cli/session.js';
import { upload } from '../src/starters/cli/upload.js';
import { bareLadder } from './support/bare-ladder.js';
import { withBenchStack } from './support/stack.js';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 30);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);

/** Seconds from the object's arrival in the bucket to `ready`. */
async function through(session: Session, file: string): Promise<number> {
  const one = await upload(session, file, {});
  const arrived = Date.now();
  const [outcome] = await follow(session, [one], () => undefined);
  const { state, timings } = outcome?.document ?? {};
  if (state !== 'ready' || !timings?.readyAt) throw new Error(`ended as ${state}`);
  return (Date.parse(timings.readyAt) - arrived) / 1000;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

await withBenchStack(async ({ config, dir }) => {
  const file = await makeVideo(join(dir, 'bench.mp4'), { seconds: SECONDS, width: 1920, height: 1080 });
  await withSession(config, async (session) => {
    const bare = async (round: number): Promise<number> => {
      const out = join(dir, `bare-${round}`);
      await mkdir(out);
      const seconds = await bareLadder(file, out);
      await rm(out, { recursive: true });
      return seconds;
    };
    // Both once for warmth, not counted.
    await bare(0);
    await through(session, file);
    const ratios: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const ffmpeg = await bare(round);
      const mill = await through(session, file);
      ratios.push(mill / ffmpeg);
      console.log(
        `round ${round}: ffmpeg ${ffmpeg.toFixed(2)} s, event to ready ${mill.toFixed(2)} s, ratio ${(mill / ffmpeg).toFixed(3)}`,
      );
    }
    console.log(
      `${SECONDS} s of 1080p30, ladder 1080/720/480/360: median ratio ${median(ratios).toFixed(3)} (aim <= 1.10)`,
    );
  });
});
