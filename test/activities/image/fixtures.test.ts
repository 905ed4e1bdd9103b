/** The shared fixtures, where they are: every picture ends as its manifest line says. Elsewhere: the same of pictures made here. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

import { MediaError } from '../../../src/contracts/errors.js';
import { openStudio, type Studio } from './studio.js';

// Real decoders, on a machine that has other tests to run.
jest.setTimeout(60_000);

type Verdict = 'ready' | 'error' | 'either';
interface Case {
  readonly name: string;
  readonly verdict: Verdict;
  readonly bytes: () => Promise<Buffer>;
}

const FIXTURES = fileURLToPath(new URL('../../../../shared/fixtures/', import.meta.url));
const PICTURES = /^(image|hostile)\/.*\.(jpe?g|png|apng|gif|webp|avif|heic|jxl|tiff?|psd|bmp|ico|svg|docx)$/i;

function shared(): Case[] {
  const manifest = join(FIXTURES, 'manifest.tsv');
  if (!existsSync(manifest)) return [];
  return readFileSync(manifest, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([name]) => PICTURES.test(name ?? ''))
    .map(([name, verdict]) => ({
      name: name!,
      verdict: verdict as Verdict,
      bytes: () => readFile(join(FIXTURES, name!)),
    }));
}

const noise = () =>
  sharp({
    create: {
      width: 900,
      height: 700,
      channels: 3,
      background: 'grey',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  });
const own: Case[] = [
  { name: 'a photograph', verdict: 'ready', bytes: () => noise().jpeg().toBuffer() },
  { name: 'its first half', verdict: 'ready', bytes: async () => firstHalf(await noise().jpeg().toBuffer()) },
  { name: 'an empty file', verdict: 'error', bytes: () => Promise.resolve(Buffer.alloc(0)) },
  { name: 'a blank', verdict: 'error', bytes: () => Promise.resolve(Buffer.from('\n')) },
  { name: 'JSON', verdict: 'error', bytes: () => Promise.resolve(Buffer.from('{"hello": "world"}\n')) },
  {
    name: 'a JPEG marker and noise',
    verdict: 'error',
    bytes: () => Promise.resolve(Buffer.from('ffd8ffe0'.repeat(9), 'hex')),
  },
];
const firstHalf = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2);

let dir: string;
let studio: Studio;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-fixtures-'));
  studio = await openStudio(dir);
});
afterAll(async () => {
  await studio.tools.close();
  await rm(dir, { recursive: true });
});

async function outcome(bytes: Buffer): Promise<string> {
  try {
    const { plan, files } = await studio.process(bytes);
    for (const { name, width, height } of plan.variants) {
      expect(await sharp(files.get(name), { failOn: 'warning' }).metadata()).toMatchObject({ width, height });
    }
    return `ready ${plan.width}x${plan.height}`;
  } catch (error) {
    if (!MediaError.is(error)) throw error;
    return `error ${error.code}`;
  }
}

describe('every picture ends as it should', () => {
  test.each([...own, ...shared()])('$name: $verdict', async ({ verdict, bytes }) => {
    const source = await bytes();
    const started = performance.now();
    const first = await outcome(source);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(first).toMatch(verdict === 'either' ? /^(ready|error)/ : new RegExp(`^${verdict}`));
    // Not by chance.
    expect(await outcome(source)).toBe(first);
    // Our own trouble is no verdict on a file.
    expect(first).not.toMatch(/INTERNAL|DECODER_CRASHED|NO_SPACE|VERIFY_FAILED/);
  });

  test('the eight orientations of one photograph look the same', async () => {
    const all = shared().filter(({ name }) => name.includes('Portrait_'));
    const pictures = await Promise.all(
      all.map(async ({ bytes }) => {
        const { plan, files } = await studio.process(await bytes());
        expect(plan).toMatchObject({ width: 1200, height: 1800 });
        // The number in the middle of each is its own: looked at is the upper third.
        return sharp(files.get('w320.jpg')).extract({ left: 0, top: 0, width: 320, height: 160 }).raw().toBuffer();
      }),
    );
    for (const picture of pictures) {
      const difference =
        picture.reduce((sum, value, i) => sum + Math.abs(value - pictures[0]![i]!), 0) / picture.length;
      expect(difference).toBeLessThan(3);
    }
  });
});
