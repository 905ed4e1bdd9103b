/**
 * Pictures cut off and with bytes turned over, each through two engines of different memory. `npm run fuzz:images`
 * does the same with as many copies as one has time for.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { fuzz } from '../support/fuzz.js';
import { FORMATS, pictures, type Picture } from '../support/pictures.js';
import { openTwins, type Twins } from '../support/twins.js';

// Some fifty pictures a test, on a machine that has other tests to run.
jest.setTimeout(300_000);

const FLIPS = 50;
/** Of larger files, which are somebody else's: each of them beside the cuts. */
const FIXTURE_FLIPS = 2;
const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));

const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

let dir: string;
let twins: Twins;
let made: Map<string, Picture>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-fuzz-'));
  made = new Map((await pictures()).map((picture) => [picture.name, picture]));
  twins = await openTwins(dir, 60);
});
afterAll(async () => {
  await twins.close();
  const left = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(left).toEqual([]);
  await rm(dir, { recursive: true });
});

describe('the same bytes end the same way and show nothing but their own', () => {
  test.each(FORMATS)('%s', async (name) => {
    const picture = made.get(name)!;
    expect(await twins.process(picture.bytes)).toEqual({ verdict: 'ready', problem: undefined });
    const report = await fuzz(twins, picture, seeds(FLIPS));
    expect(report.problems).toEqual([]);
    expect(report.runs).toBe(FLIPS + 4);
  });
});

const fixtures = (): string[] => {
  const manifest = join(FIXTURES, 'manifest.tsv');
  if (!existsSync(manifest)) return [];
  const names = readFileSync(manifest, 'utf8').split('\n').map((line) => line.split('\t')[0]!); // prettier-ignore
  return names.filter((name) => name.startsWith('image/'));
};

describe('so do files of the world, where they are', () => {
  test.each(['a photograph of our own', ...fixtures()])('%s', async (name) => {
    const bytes = name.startsWith('image/') ? readFileSync(join(FIXTURES, name)) : made.get('jpeg')!.bytes;
    const report = await fuzz(twins, { name, bytes }, seeds(FIXTURE_FLIPS));
    expect(report.problems).toEqual([]);
    expect(report.runs).toBe(FIXTURE_FLIPS + 4);
  });
});
