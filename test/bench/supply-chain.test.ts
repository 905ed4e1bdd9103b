/** The exercise of the supply chain on a clock that jumps: what `npm run bench:supply-chain` measures on Temporal. */
import { makeItems } from '../../bench/support/supply-chain/items.js';
import { optimumOf } from '../../bench/support/supply-chain/optimum.js';
import { plot } from '../../bench/support/supply-chain/plot.js';
import { PLACES, type PolicyName } from '../../bench/support/supply-chain/policies.js';
import { runOnce, startsOf, type Outcome, type Run } from '../../bench/support/supply-chain/run.js';
import { inVirtualTime } from '../../bench/support/supply-chain/virtual-clock.js';

const SETTINGS = { encoders: 10, startSeconds: 6 };
const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

const run = (policy: PolicyName, seed: number, load: Pick<Run, 'rate' | 'hopeless'>): Promise<Outcome> =>
  inVirtualTime((clock) => runOnce(clock, { ...SETTINGS, policy, seed, ...load }));

const runs = (policy: PolicyName, load: Pick<Run, 'rate' | 'hopeless'>): Promise<Outcome[]> =>
  Promise.all(SEEDS.map((seed) => run(policy, seed, load)));

test.each<[PolicyName, number, number]>([
  ['after-encode', 54, 66],
  ['with-encode', 123, 128],
  ['queue', 59, 63],
  ['pre-warmed', 151, 154],
])('%s publishes what was reported of it, on every seed', async (policy, least, most) => {
  for (const { onTime, published } of await runs(policy, { rate: 2, hopeless: 0 })) {
    expect(published).toBe(154);
    expect(onTime).toBeGreaterThanOrEqual(least);
    expect(onTime).toBeLessThanOrEqual(most);
  }
});

test.each([
  { rate: 0.5, hopeless: 0, seeds: 5 },
  { rate: 2, hopeless: 0, seeds: 20 },
  { rate: 4, hopeless: 8, seeds: 10 },
  { rate: 8, hopeless: 30, seeds: 5 },
])('ours publishes in time all that can be, at $rate/s with $hopeless hopeless ones', async ({ seeds, ...load }) => {
  const outcomes = await Promise.all(SEEDS.slice(0, seeds).map((seed) => run('ours', seed, load)));
  for (const [index, outcome] of outcomes.entries()) {
    const seed = SEEDS[index]!;
    const { onTime } = optimumOf(makeItems(seed, load), { ...SETTINGS, places: PLACES }, startsOf(seed));
    expect(onTime).toBe(154 - load.hopeless);
    // The hopeless ones are published, too: late.
    expect(outcome).toMatchObject({ published: 154, onTime, lateness: [] });
    expect(outcome.publishers.most).toBeLessThanOrEqual(PLACES);
  }
});

test('ours keeps fewer publishers where there is less to do', async () => {
  const [quiet, busy] = await Promise.all([
    run('ours', 1, { rate: 0.5, hopeless: 0 }),
    run('ours', 1, { rate: 2, hopeless: 0 }),
  ]);
  expect(quiet.publishers.mean).toBeLessThan(0.7 * busy.publishers.mean);
});

test('a seed is the same items and the same run, another one is not', async () => {
  const load = { rate: 2, hopeless: 0 };
  expect(makeItems(5, load)).toEqual(makeItems(5, load));
  expect(makeItems(5, load)).not.toEqual(makeItems(6, load));
  expect(await run('queue', 5, load)).toEqual(await run('queue', 5, load));
});

test('the plot has a dot for each seed and a band for each policy', () => {
  const svg = plot([{ policy: 'ours', counts: [154, 154, 153], reported: [154, 154] }], 154);
  expect(svg.match(/class="dot"/g)).toHaveLength(3);
  expect(svg.match(/class="band"/g)).toHaveLength(1);
  expect(svg).toContain('153 to 154');
});
