/** Damaged copies of media, the same ones for the same seed, and what an independent decoder says of them. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

import { randomFrom } from '../../bench/support/random.js';

const exec = promisify(execFile);

const CUTS = [0.25, 0.5, 0.75, 0.99];
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

function flipped(bytes: Buffer, seed: number): Buffer {
  const copy = Buffer.from(bytes);
  const random = randomFrom(seed);
  for (let i = 0; i < FLIPPED_BYTES; i += 1)
    copy[Math.floor(random() * copy.length)]! ^= 1 + Math.floor(random() * 255);
  return copy;
}

/** Lines that say nothing of the source. */
const NOISE = /non monotonically increasing dts|deprecated pixel format|^\s*$/;

/**
 * What ffmpeg complains of while it decodes pictures and sound to the end, without addresses and numbers, which differ
 * from run to run.
 */
export async function complaints(path: string): Promise<string[]> {
  const args = ['-nostdin', '-v', 'error', '-i', path, '-map', '0:v?', '-map', '0:a?', '-f', 'null', '-'];
  const options = { maxBuffer: 64 * 1024 ** 2 };
  const stderr = await exec('ffmpeg', args, options).then(
    (end) => end.stderr,
    (error: { stderr?: string }) => error.stderr || 'failed',
  );
  const lines = stderr.split('\n').map((line) => line.replaceAll(path, '').replace(/0x[0-9a-f]+|\d+/g, '#'));
  return [...new Set(lines.filter((line) => !NOISE.test(line)))];
}

/** What is wrong with the copy that was not wrong with the file that it was made of. */
export async function newComplaints(copy: string, original: string): Promise<string[]> {
  const known = new Set(await complaints(original));
  return (await complaints(copy)).filter((line) => !known.has(line));
}
