/**
 * `npm run bench:bombs`: how long a file that claims more than it is takes to be refused, and how much memory any child
 * held meanwhile. Aim: what the header says is refused well within a second.
 *
 * Exits with 1 when a verdict is not the one that is due. `BENCH_BOMBS`: only those whose name has this in it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadConfig } from '../src/config/index.js';
import { MediaError } from '../src/contracts/errors.js';
import { table } from '../src/starters/cli/format.js';
import { openStudio } from '../test/activities/image/studio.js';
import { BOMBS } from '../test/support/bombs.js';
import { pictures } from '../test/support/pictures.js';
import { createWitness, decoded } from '../test/support/witness.js';
import { watchMemory } from './support/memory.js';

const NAME = process.env.BENCH_BOMBS ?? '';
/** Those that are shipped. */
const { limits } = loadConfig({ files: [], env: {} });

const dir = await mkdtemp(join(tmpdir(), 'mediamill-bombs-'));
const witness = createWitness();
const studio = await openStudio(dir, limits, { slots: 1, around: (spawn) => witness.around(spawn) });
const rows = [['BOMB', 'BYTES', 'VERDICT', 'SECONDS', 'PEAK MiB', 'DECODED']];
let wrong = 0;
try {
  // The child is up, and has loaded its libraries.
  const photo = (await pictures())[0]!.bytes;
  await studio.process(photo);
  for (const { name, make, verdict } of BOMBS.filter((bomb) => bomb.name.includes(NAME))) {
    const bytes = await make();
    witness.forget();
    const memory = watchMemory(process.pid);
    const started = performance.now();
    const found = await studio.process(bytes).then(
      () => 'ready',
      (error: unknown) => (MediaError.is(error) ? error.code : String(error)),
    );
    const seconds = (performance.now() - started) / 1000;
    const peak = memory.stop();
    const right = verdict.test(found);
    if (!right) wrong += 1;
    const cells = [name, `${bytes.length}`, right ? found : `${found}: WRONG`, seconds.toFixed(2), peak.toFixed(0)];
    rows.push([...cells, decoded(witness) ? 'yes' : 'no']);
    console.error(cells.join('  '));
    await studio.process(photo);
  }
} finally {
  await studio.tools.close();
  await rm(dir, { recursive: true });
}
console.log(table(rows));
console.log(`${rows.length - 1} bombs, ${wrong} wrong`);
process.exitCode = wrong > 0 || rows.length === 1 ? 1 : 0;
