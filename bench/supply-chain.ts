/**
 * `npm run bench:supply-chain`: the exercise that this project grew from, its four designs and ours, on Temporal's
 * time-skipping server: items come twice a second, ten encoders, publishers that start in 0 to 6 s, each seed the same
 * items and starts for all. Then twice the load, with items among them that nobody can publish in time.
 *
 * Aim: the three oldest designs within what was reported of them; ours 154 of 154 on every seed with at most ten
 * publishers; at twice the load 99.9 % of what is feasible.
 *
 * `BENCH_SEEDS` (20), `BENCH_AT_ONCE` (4): runs that share the server. `--lines SEED [MORE]`: only prints the items of a
 * seed as lines for `mediamill ingest`; MORE: seconds to add to each limit.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import pLimit from 'p-limit';

import { table } from '../src/starters/cli/format.js';
import { startTimeServer } from '../test/support/time-server.js';
import { ITEMS, linesOf, makeItems } from './support/supply-chain/items.js';
import { optimumOf } from './support/supply-chain/optimum.js';
import { plot, type Strip } from './support/supply-chain/plot.js';
import { PLACES, POLICIES, type PolicyName } from './support/supply-chain/policies.js';
import { HEADINGS, meanAndRange, rowOf } from './support/supply-chain/report.js';
import { startsOf, type Outcome, type Run } from './support/supply-chain/run.js';
import { setting } from './support/numbers.js';

const SEEDS = setting('BENCH_SEEDS', 20);
const AT_ONCE = setting('BENCH_AT_ONCE', 4);
const SETTINGS = { encoders: 10, startSeconds: 6 };

/** What was reported of each design; of the last one: its aim. */
const REPORTED: Readonly<Record<PolicyName, readonly [number, number]>> = {
  'after-encode': [54, 66],
  'with-encode': [123, 128],
  queue: [59, 63],
  'pre-warmed': [151, 154],
  ours: [154, 154],
};

const PLOT = fileURLToPath(new URL('../docs/images/supply-chain.svg', import.meta.url));

const LOADS = [
  { rate: 2, hopeless: 0, policies: POLICIES },
  { rate: 4, hopeless: 8, policies: ['pre-warmed', 'ours'] },
  // What a pool costs that knows how little there is to do.
  { rate: 0.5, hopeless: 0, policies: ['pre-warmed', 'ours'] },
] as const satisfies readonly { rate: number; hopeless: number; policies: readonly PolicyName[] }[];

const [option, seed = '1', more = '0'] = process.argv.slice(2);
if (option === '--lines') {
  for (const line of linesOf(Number(seed), { more: Number(more) })) console.log(line);
} else {
  await measure();
}

async function measure(): Promise<void> {
  const server = await startTimeServer();
  try {
    const worker = await Worker.create({
      connection: server.env.nativeConnection,
      taskQueue: 'supply-chain',
      workflowBundle: await bundleWorkflowCode({
        workflowsPath: fileURLToPath(new URL('support/supply-chain/workflow.ts', import.meta.url)),
        logger: new DefaultLogger('ERROR'),
      }),
    });
    // The environment's own client lets time pass for one result at a time.
    await server.env.connection.testService?.unlockTimeSkipping({});
    const client = new Client({ connection: server.env.connection });
    const execute = (run: Run): Promise<Outcome> =>
      client.workflow.execute('supplyChain', {
        workflowId: `${run.policy}/${run.rate}/${run.seed}`,
        taskQueue: 'supply-chain',
        args: [run],
      });
    const isMet = await worker.runUntil(() => compare(execute));
    if (!isMet) process.exitCode = 1;
  } finally {
    await server.stop();
  }
}

/** @returns whether all aims were reached */
async function compare(execute: (run: Run) => Promise<Outcome>): Promise<boolean> {
  const limit = pLimit(AT_ONCE);
  const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1);
  const misses: string[] = [];
  for (const { rate, hopeless, policies } of LOADS) {
    const rows: string[][] = [];
    const strips: Strip[] = [];
    const best = seeds.map((seed) =>
      optimumOf(makeItems(seed, { rate, hopeless }), { ...SETTINGS, places: PLACES }, startsOf(seed)),
    );
    const feasible = best.map(({ onTime }) => onTime);
    for (const policy of policies) {
      const outcomes = await Promise.all(
        seeds.map((seed) => limit(() => execute({ ...SETTINGS, policy, seed, rate, hopeless }))),
      );
      const counts = outcomes.map(({ onTime }) => onTime);
      console.error(`${rate}/s, ${policy}: ${counts.join(' ')}`);
      const reported = REPORTED[policy];
      rows.push(rowOf(policy, outcomes, rate === 2 ? reported.join(' to ') : ''));
      strips.push({ policy, counts, reported });
      const most = Math.max(...outcomes.map(({ publishers }) => publishers.most));
      misses.push(...missed({ rate, policy, counts, feasible, most }));
    }
    console.log(`\n${ITEMS} items, ${rate}/s, ${SEEDS} seeds: mean (least to most)\n\n${table([HEADINGS, ...rows])}`);
    const soonest = best.map((one) => one.soonest);
    console.log(
      `offline optimum: ${meanAndRange(feasible, 1, 0)} in time, nobody ends before ${meanAndRange(soonest, 1)} s`,
    );
    if (rate === 2) await writeFile(PLOT, plot(strips, ITEMS));
  }
  console.log(misses.length === 0 ? '\nall aims reached' : `\nmissed:\n${misses.join('\n')}`);
  return misses.length === 0;
}

interface Result {
  readonly rate: number;
  readonly policy: PolicyName;
  readonly counts: readonly number[];
  /** By seed, as `counts`. */
  readonly feasible: readonly number[];
  /** Publishers kept at once. */
  readonly most: number;
}

/** The aims that a policy missed at this load, in words. */
function missed({ rate, policy, counts, feasible, most }: Result): string[] {
  const what = `${policy} at ${rate}/s`;
  if (policy === 'ours') {
    const share = sum(counts) / sum(feasible);
    const all = counts.every((count, index) => count === feasible[index]);
    return [
      ...(share < 0.999 || (rate === 2 && !all) ? [`${what}: ${sum(counts)} of ${sum(feasible)}`] : []),
      ...(most > PLACES ? [`${what}: ${most} publishers`] : []),
    ];
  }
  const [least, greatest] = REPORTED[policy];
  const isAsReported = counts.every((count) => count >= least && count <= greatest);
  return rate !== 2 || isAsReported ? [] : [`${what}: ${counts.join(' ')}, reported were ${least} to ${greatest}`];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
