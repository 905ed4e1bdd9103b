/**
 * `npm run formats`: runs a picture of every format, and every picture of `../shared/fixtures` where that is there,
 * through the real decoders and encoders, and writes what became of it into docs/formats.md.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

import { openStudio } from '../test/activities/image/studio.js';
import { fixturePictures, markdown, matrixRow, ownPictures } from '../test/support/format-matrix.js';

const DOCUMENT = new URL('../docs/formats.md', import.meta.url).pathname;

const dir = await mkdtemp(join(tmpdir(), 'mediamill-formats-'));
const studio = await openStudio(dir, {}, { slots: 1 });
try {
  const all = [...(await ownPictures()), ...fixturePictures()];
  // The child is up, and has loaded its libraries.
  await matrixRow(studio, all[0]!);
  const rows: string[][] = [];
  for (const picture of all) {
    const row = await matrixRow(studio, picture);
    console.error(row.join('  '));
    rows.push(row);
  }
  const text = await readFile(DOCUMENT, 'utf8');
  const matrix = /(?<=<!-- matrix:start -->\n)[^]*(?=<!-- matrix:end -->)/;
  if (!matrix.test(text)) throw new Error('docs/formats.md has no markers');
  const filled = text.replace(matrix, () => `\n${markdown(rows)}\n\n`);
  await writeFile(DOCUMENT, await format(filled, { ...(await resolveConfig(DOCUMENT)), parser: 'markdown' }));
} finally {
  await studio.tools.close();
  await rm(dir, { recursive: true });
}
