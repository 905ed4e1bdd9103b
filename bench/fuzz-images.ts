/**
 * `npm run fuzz:images -- [COPIES [DIR]]`: a small picture of every format, and each image of a folder, cut off at 1,
 * 25, 50 and 99 % and in so many copies (1,000) with seeded bytes turned over, through two engines of which one has
 * made a loud picture a moment before. Exits with 1 when the same bytes had two verdicts or two results, or when an
 * error is none of the file's. `FUZZ_SEED`: the first seed (1). `FUZZ_FORMATS`: only these, with commas between.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';

import { table } from '../src/starters/cli/format.js';
import { fuzz } from '../test/support/fuzz.js';
import { pictures, type Picture } from '../test/support/pictures.js';
import { openTwins } from '../test/support/twins.js';
import { setting } from './support/numbers.js';

const IMAGE_SECONDS = 10;
const IMAGES = new Set('.jpg .jpeg .png .apng .gif .webp .avif .heic .jxl .tif .tiff .psd .bmp .ico .svg'.split(' '));

const [count = '1000', folder] = process.argv.slice(2);
const first = setting('FUZZ_SEED', 1);
const only = process.env.FUZZ_FORMATS?.split(',');
const seeds = Array.from({ length: Number(count) }, (_, i) => first + i);

const dir = await mkdtemp(join(tmpdir(), 'mediamill-fuzz-'));
const twins = await openTwins(dir, IMAGE_SECONDS);
const rows = [['PICTURE', 'COPIES', 'VERDICTS', 'SLOWEST', 'PROBLEMS']];
let problems = 0;
try {
  const all = [...(await pictures()), ...(folder ? imagesOf(folder) : [])];
  for (const picture of all.filter(({ name }) => only?.includes(name) ?? true)) {
    const report = await fuzz(twins, picture, seeds);
    problems += report.problems.length;
    const verdicts = Object.entries(report.verdicts).map(([name, times]) => `${times} ${name}`);
    const { copy, seconds } = report.slowest;
    const cells = [report.name, `${report.runs}`, verdicts.join(', '), `${seconds.toFixed(2)} s (${copy})`];
    rows.push([...cells, `${report.problems.length}`]);
    console.error(cells.join('  '));
    for (const problem of report.problems) console.log(`BAD  ${report.name} ${problem}`);
  }
} finally {
  await twins.close();
  await rm(dir, { recursive: true });
}
console.log(table(rows));
console.log(`${rows.length - 1} pictures, ${problems} problems; seeds ${first} to ${first + seeds.length - 1}`);
process.exitCode = problems > 0 || rows.length === 1 ? 1 : 0;

function imagesOf(path: string): Picture[] {
  if (!existsSync(path)) throw new Error(`${path} does not exist`);
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && IMAGES.has(extname(entry.name).toLowerCase()))
    .map((entry) => ({ name: entry.name, bytes: readFileSync(join(entry.parentPath, entry.name)) }));
}
