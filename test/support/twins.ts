/**
 * The same bytes through two image engines, one of which has made a loud picture a moment before. Where both say the
 * same, byte by byte, no output shows what is not in its own file, and the verdict is none of chance.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import sharp from 'sharp';

import { randomFrom } from '../../bench/support/random.js';
import { MediaError } from '../../src/contracts/errors.js';
import type { ImageSpec } from '../../src/contracts/profile.js';
import { openStudio, type Studio } from '../activities/image/studio.js';

export interface Outcome {
  /** `ready`, or an error's code. */
  readonly verdict: string;
  /** What must not be, in words. */
  readonly problem: string | undefined;
}

export interface Twins {
  process(bytes: Buffer): Promise<Outcome>;
  close(): Promise<void>;
}

/** Small and cheap to encode, and all frames of what moves: what is tried is decoding. */
const SPEC: ImageSpec = {
  widths: [48],
  sizes: [],
  formats: ['webp'],
  quality: { avif: 50, webp: 80, jpeg: 80 },
  maxKiB: 'off',
  animation: { webp: true, loops: [], maxWidth: 48 },
  colours: 'srgb',
  keepCopyright: false,
};

/** Our own trouble: no file may bring it about. */
const NOT_THE_FILES_FAULT = new Set(['INTERNAL', 'NO_SPACE', 'VERIFY_FAILED']);

/** @param dir an existing folder; @param imageSeconds what a decoder may take */
export async function openTwins(dir: string, imageSeconds: number): Promise<Twins> {
  const open = async (name: string): Promise<Studio> => {
    const own = join(dir, name);
    await mkdir(own);
    return openStudio(own, { imageSeconds }, { slots: 1 });
  };
  const [plain, haunted] = await Promise.all([open('plain'), open('haunted')]);
  const loud = await loudPicture();

  return {
    async process(bytes) {
      const [first, second] = await Promise.all([
        run(plain, bytes),
        run(haunted, loud).then(() => run(haunted, bytes)),
      ]);
      return { verdict: first.verdict, problem: problemOf(first, second) };
    },
    async close() {
      await Promise.all([plain.tools.close(), haunted.tools.close()]);
    },
  };
}

interface Run {
  readonly verdict: string;
  /** Of an error its sentence, of a picture a digest of every file. */
  readonly detail: string;
}

async function run(studio: Studio, bytes: Buffer): Promise<Run> {
  try {
    const { files } = await studio.process(bytes, SPEC);
    const digests = [...files].map(([name, made]) => `${name} ${createHash('sha256').update(made).digest('hex')}`);
    return { verdict: 'ready', detail: digests.join(', ') };
  } catch (error) {
    // The studio takes images only; what a damaged signature makes of one is for another engine to judge.
    if (error instanceof Error && error.message.startsWith('not an image')) return { verdict: 'other', detail: '' };
    if (!MediaError.is(error)) throw error;
    return { verdict: error.code, detail: error.message };
  }
}

function problemOf(first: Run, second: Run): string | undefined {
  for (const { verdict, detail } of [first, second])
    if (NOT_THE_FILES_FAULT.has(verdict)) return `${verdict} ${detail}`;
  if (first.verdict !== second.verdict) return `once ${first.verdict}, once ${second.verdict}`;
  if (first.detail !== second.detail) return `the same bytes, not the same result: ${first.detail} | ${second.detail}`;
  return undefined;
}

/** Every colour at random: wherever a part of it turns up, bytes differ. */
function loudPicture(): Promise<Buffer> {
  const random = randomFrom(99);
  const raw = { width: 160, height: 120, channels: 4 } as const;
  const pixels = Buffer.alloc(raw.width * raw.height * raw.channels).map(() => Math.floor(random() * 256));
  return sharp(pixels, { raw }).png().toBuffer();
}
