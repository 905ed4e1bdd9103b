/** How much an encode resembles its source. */
import { readFile, rm } from 'node:fs/promises';

import { ffmpeg } from './film.js';

export interface SsimOptions {
  readonly width: number;
  readonly height: number;
  /** Looks at every so many frames. */
  readonly every?: number;
}

/** Of each frame that is looked at, both scaled to one size. 1 is the same picture. */
export async function ssimOfFrames(
  encode: string,
  source: string,
  { width, height, every = 1 }: SsimOptions,
): Promise<number[]> {
  const stats = `${encode}.ssim`;
  // Frames are paired by their number: both have a constant rate.
  const side = `settb=1/1000,setpts=N,${every > 1 ? `select=not(mod(n\\,${every})),` : ''}scale=${width}:${height}:flags=bicubic,format=yuv420p`;
  const graph = `[0:v]${side}[a];[1:v]${side}[b];[a][b]ssim=stats_file=${stats}:shortest=1`;
  await ffmpeg(['-i', encode, '-i', source, '-filter_complex', graph, '-an', '-f', 'null', '-']);
  const lines = (await readFile(stats, 'utf8')).trim().split('\n');
  await rm(stats);
  return lines.map((line) => Number(/All:([\d.]+)/.exec(line)?.[1]));
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
