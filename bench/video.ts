/**
 * `npm run bench:video`: what durability costs, and what sharing one decode saves. In turns within one run:
 * from the upload's event to `ready`; the one ffmpeg command that makes the same ladder of the same file; one
 * ffmpeg command per rung. Then cheaper ways of making the pictures of the rungs, with what they cost in quality.
 *
 * Aims: workflow over one command <= 1.05, workflow over one per rung <= 0.80.
 * `BENCH_SECONDS`, `BENCH_ROUNDS`: length of the film and number of rounds. `BENCH_VARIANTS=0`: without the last part.
 */
import { join } from 'node:path';

import type { VideoPlan } from '../src/contracts/plan.js';
import { size, table } from '../src/starters/cli/format.js';
import { withSession } from '../src/starters/cli/session.js';
import { fromAbove, fromSource, oneCommand, onePerRung, type Cost, type Scaling } from './support/bare-ladder.js';
import { makeFilm } from './support/film.js';
import { median, setting, spread } from './support/numbers.js';
import { coreSeconds } from './support/processes.js';
import { planOf, publish } from './support/publish.js';
import { bytesBelow, joinStream } from './support/renditions.js';
import { mean, ssimOfFrames } from './support/ssim.js';
import { withBenchStack } from './support/stack.js';

const SECONDS = setting('BENCH_SECONDS', 60);
const ROUNDS = setting('BENCH_ROUNDS', 2);
const VARIANT_SECONDS = 10;

const VARIANTS: readonly { name: string; scaling: Scaling; extra?: readonly string[] }[] = [
  { name: 'bicubic, each from the source', scaling: fromSource('bicubic') },
  { name: 'bicubic, each from the one above', scaling: fromAbove('bicubic') },
  { name: 'bilinear, each from the source', scaling: fromSource('bilinear') },
  { name: 'fast bilinear, each from the source', scaling: fromSource('fast_bilinear') },
  { name: 'fast bilinear, each from the one above', scaling: fromAbove('fast_bilinear') },
  { name: 'lanczos, each from the source', scaling: fromSource('lanczos') },
  { name: 'bicubic, shorter look-ahead', scaling: fromSource('bicubic'), extra: ['-rc-lookahead', '10'] },
];

const cost = ({ seconds, coreSeconds: cores }: Cost): string[] => [seconds.toFixed(2), cores.toFixed(1)];

await withBenchStack(async ({ config, dir }) => {
  const short = await makeFilm(join(dir, 'short.mp4'), { seconds: VARIANT_SECONDS, width: 1920, height: 1080 });
  const film = await makeFilm(join(dir, 'film.mp4'), { seconds: SECONDS, width: 1920, height: 1080 });
  const out = join(dir, 'out');
  await withSession(config, async (session) => {
    // Once for warmth, not counted.
    const warm = await publish(session, short);
    const plan = await planOf(session, warm.upload);
    const through = async (): Promise<Cost> => {
      const cores = coreSeconds();
      const { seconds } = await publish(session, film);
      return { seconds, coreSeconds: coreSeconds() - cores };
    };
    const rows: string[][] = [
      ['ROUND', 'WORKFLOW s', 'core-s', 'ONE s', 'core-s', 'PER RUNG s', 'core-s', '/ ONE', '/ PER RUNG'],
    ];
    const rounds: { toOne: number; toPerRung: number; cores: number }[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const one = await oneCommand(film, out, plan);
      const mill = await through();
      const perRung = await onePerRung(film, out, plan);
      const toOne = mill.seconds / one.seconds;
      const toPerRung = mill.seconds / perRung.seconds;
      rounds.push({ toOne, toPerRung, cores: mill.coreSeconds / one.coreSeconds });
      rows.push([`${round}`, ...[mill, one, perRung].flatMap(cost), toOne.toFixed(3), toPerRung.toFixed(3)]);
      console.error(`round ${round} of ${ROUNDS}`);
    }
    console.log(`${SECONDS} s of 1080p30, rungs ${plan.rungs.map(({ name }) => name).join(' ')}\n${table(rows)}`);
    console.log(`workflow / one command: ${spread(rounds.map(({ toOne }) => toOne))} (aim <= 1.05)`);
    console.log(`workflow / one command per rung: ${spread(rounds.map(({ toPerRung }) => toPerRung))} (aim <= 0.80)`);
    console.log(`core-seconds of the machine, workflow / one command: ${spread(rounds.map(({ cores }) => cores))}\n`);
    if (setting('BENCH_VARIANTS', 1)) console.log(await variants(short, out, plan));
  });
});

/** Quality is measured at the source's size: what a viewer of a full screen sees. */
async function variants(film: string, out: string, plan: VideoPlan): Promise<string> {
  const lower = plan.rungs.slice(1);
  const rows = [['SCALING', 's', 'core-s', 'BYTES', ...lower.map(({ name }) => `SSIM ${name}`)]];
  for (const { name, scaling, extra } of VARIANTS) {
    const costs = [];
    for (let i = 0; i < 2; i++) costs.push(await oneCommand(film, out, plan, scaling, extra));
    let bytes = 0;
    const ssim: string[] = [];
    for (const rung of plan.rungs) bytes += await bytesBelow(join(out, rung.name));
    for (const rung of lower) {
      const whole = await joinStream(join(out, rung.name), join(out, `${rung.name}.mp4`));
      ssim.push(mean(await ssimOfFrames(whole, film, { width: 1920, height: 1080, every: 10 })).toFixed(4));
    }
    const seconds = median(costs.map((one) => one.seconds));
    const cores = median(costs.map((one) => one.coreSeconds));
    rows.push([name, ...cost({ seconds, coreSeconds: cores }), size(bytes), ...ssim]);
    console.error(name);
  }
  return `One command, ${VARIANT_SECONDS} s of 1080p30, ways of scaling\n${table(rows)}`;
}
