import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { IMAGE_FORMATS } from '../../../src/media/image/formats.js';
import { FIXTURES, fixturePictures, matrixRow, ownPictures, rowsIn } from '../../support/format-matrix.js';
import { openStudio, type Studio } from './studio.js';

// Some sixty pictures through real decoders.
jest.setTimeout(300_000);

let dir: string;
let studio: Studio;
let told: string[][];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-matrix-'));
  studio = await openStudio(dir);
  told = rowsIn(await readFile(join(import.meta.dirname, '../../../docs/formats.md'), 'utf8'));
});
afterAll(async () => {
  await studio.tools.close();
  await rm(dir, { recursive: true });
});

const withoutTime = (row: readonly string[]): string => row.slice(0, -1).join(' | ');

describe('docs/formats.md (else: npm run formats)', () => {
  test('says what becomes of pictures of every format', async () => {
    const pictures = await ownPictures();
    const found = [];
    for (const picture of pictures) found.push(withoutTime(await matrixRow(studio, picture)));
    expect(told.filter(([name]) => !name!.includes('/')).map(withoutTime)).toEqual(found);
    const formats = new Set(told.map(([, format]) => format));
    expect(IMAGE_FORMATS.filter(({ name }) => !formats.has(name))).toEqual([]);
  });

  test(`and of those in ${FIXTURES.split('/').slice(-2).join('/')}, as far as they are here`, async () => {
    const rows = new Map(told.map((row) => [row[0], withoutTime(row)]));
    for (const picture of fixturePictures()) {
      expect(rows.get(`\`${picture.name}\``)).toBe(withoutTime(await matrixRow(studio, picture)));
    }
    // Every row that is not ours tells an outcome, whether its file is here or not.
    for (const row of told.filter(([name]) => name!.includes('/'))) expect(row[4]).toMatch(/jpg|`[A-Z]+_[A-Z]+`/);
  });
});
