/**
 * `npm run check:api`: schemathesis makes requests of the whole OpenAPI document, right ones and wrong ones, and judges
 * every answer. Exits with 1 when any is not as the document says, or is a 5xx.
 *
 * `CHECK_EXAMPLES` (100) per operation, `CHECK_SEED` (printed).
 */
import { randomInt } from 'node:crypto';

import { checkContract } from '../test/support/schemathesis.js';
import { withContractServer } from '../test/support/contract-server.js';
import { setting } from './support/numbers.js';
import { withBenchServers } from './support/stack.js';

const SEED = setting('CHECK_SEED', randomInt(1_000_000));
const EXAMPLES = setting('CHECK_EXAMPLES', 100);

await withBenchServers(({ config, dir }) =>
  withContractServer(config, async (server) => {
    console.log(`CHECK_SEED=${SEED}`);
    const { code, output } = await checkContract({
      ...server,
      dir,
      maxExamples: EXAMPLES,
      seed: SEED,
      args: process.argv.slice(2),
    });
    console.log(output);
    for (const line of server.complaints()) console.log(line);
    process.exitCode = code === 0 ? 0 : 1;
  }),
);
