/** Damaged copies of media, the same ones for the same seed, and what an independent decoder says of them. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

import { randomFrom } from '../../bench/support/random.js';

const exec = promisify(execFile);

const CUTS = [0.25, 0.5, 0.75, 0.99];
/** Of odd seeds; even ones turn over a single byte, which is the harder one to notice. */
const FLIPPED_BYTES = 12;

/** The file cut off at four places, and with some bytes turned over, once for each seed. @returns paths in `dir` */
export async function damagedCopies(path: string, dir: string, seeds: readonly number[]): Promise<string[]> {
  const bytes = await readFile(path);
  const copies = [
    ...CUTS.map((share) => [`cut-${share * 100}`, bytes.subarray(0, Math.floor(bytes.length * share))] as const),
    ...seeds.map((seed) => [`flip-${seed}`, flipped(bytes, seed)] as const),
  ];
  return Promise.all(
    copies.map(async ([name, copy]) => {
      const target = join(dir, `${name}-${basename(path)}`);
      await writeFile(target, copy);
      return target;
    }),
  );
}

/** The same copy for the same seed. */
export function flipped(bytes: Buffer, seed: number): Buffer {
  const copy = Buffer.from(bytes);
  const random = randomFrom(seed);
  for (let i = 0; i < (seed % 2 === 0 ? 1 : FLIPPED_BYTES); i += 1)
    copy[Math.floor(random() * copy.length)]! ^= 1 + Math.floor(random() * 255);
  return copy;
}

/** Lines that say nothing of the source. */
const NOISE = /non monotonically increasing dts|deprecated pixel format|^\s*$/;
/** What a cut through the last packet of sound looks like; that the end is missing is said elsewhere. */
const CUT = /^\[(aac|mp3float|mp2|ac3|opus|libopus|vorbis) |Error while decoding stream|ended prematurely/;
const LOST = /Error while decoding stream|corrupt decoded frame/;

/** What ffmpeg complains of while it decodes pictures and sound to the end. */
async function complaints(path: string): Promise<string[]> {
  const args = ['-nostdin', '-v', 'error', '-i', path, '-map', '0:v?', '-map', '0:a?', '-f', 'null', '-'];
  const options = { maxBuffer: 64 * 1024 ** 2 };
  const stderr = await exec('ffmpeg', args, options).then(
    (end) => end.stderr,
    (error: { stderr?: string }) => error.stderr || 'failed',
  );
  // Addresses and numbers differ from run to run.
  const lines = stderr.split('\n').map((line) => line.replaceAll(path, '').replace(/0x[0-9a-f]+|\d+/g, '#'));
  return lines.filter((line) => !NOISE.test(line));
}

/**
 * What is wrong with the copy that was not wrong with the file that it was made of. One lost packet of
 * sound is not: in a format without an index, a file that was cut is only a shorter one.
 */
export async function newComplaints(copy: string, original: string): Promise<string[]> {
  const known = await complaints(original);
  const all = await complaints(copy);
  const lost = (lines: readonly string[]): number => lines.filter((line) => LOST.test(line)).length;
  const added = [...new Set(all)].filter((line) => !known.includes(line));
  return lost(all) - lost(known) > 1 ? added : added.filter((line) => !CUT.test(line));
}
