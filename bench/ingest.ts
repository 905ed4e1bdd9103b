/**
 * `npm run bench:ingest`: the exercise of the supply chain in real time, on real servers: 154 items of a seed, two a
 * second, through `mediamill ingest`, simulated encoders and publishers that start in 0 to 6 s; about a minute and a half.
 *
 * Aim: all published, none late. `BENCH_SEED` (1); `BENCH_MORE` (1): seconds added to each limit, for what the steps of
 * this machine take between an encode's end and its publication. In `bench:supply-chain` they take nothing.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { merge } from '../src/local/addresses.js';
import { startIngest } from '../test/support/ingest.js';
import { setting } from './support/numbers.js';
import { withBenchServers, withProcesses } from './support/stack.js';
import { ITEMS, linesOf } from './support/supply-chain/items.js';

const SEED = setting('BENCH_SEED', 1);
const MORE = setting('BENCH_MORE', 1);

await withBenchServers(async (servers) => {
  const [targets, lines] = [join(servers.dir, 'targets.yaml'), join(servers.dir, 'lines.jsonl')];
  await writeFile(targets, JSON.stringify({ playout: { type: 'simulated', startSeconds: 6 } }));
  await writeFile(lines, linesOf(SEED, { more: MORE }).join('\n'));
  const config = merge(servers.config, { publishers: { targets } });
  await withProcesses(async (start) => {
    await start('workers/all.js', config);
    const args = ['--name', `seed-${SEED}`, '--rate', '2/s', '--encoders', '10', '--target', 'playout', '--exit'];
    const ingest = await startIngest(config, lines, args);
    await ingest.exited;
    console.log(ingest.lines.slice(-2).join('\n'));
    const isMet = ingest.lines.at(-2)?.includes(`met=${ITEMS} missed=0 `) ?? false;
    const isDone = ingest.lines.at(-1)?.endsWith(` published=${ITEMS} publish_failed=0`) ?? false;
    if (!isMet || !isDone) process.exitCode = 1;
  });
});
