/** The rivals: what somebody who knows ffmpeg would write by hand for the same ladder. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { VideoPlan, VideoRung } from '../../src/contracts/plan.js';
import { secondsOf } from '../../src/contracts/plan.js';
import { ffmpeg } from './film.js';
import { coreSeconds } from './processes.js';

export interface Cost {
  /** Of the clock. */
  readonly seconds: number;
  readonly coreSeconds: number;
}

/** How the pictures of all rungs come to be, from `[0:v]`: one output pad `[<rung>]` each. */
export type Scaling = (rungs: readonly VideoRung[]) => string;

/** Every rung from the source. */
export const fromSource =
  (flags = 'bicubic'): Scaling =>
  (rungs) =>
    [
      `[0:v]split=${rungs.length}${rungs.map((_, i) => `[s${i}]`).join('')}`,
      ...rungs.map(({ name, width, height }, i) => `[s${i}]scale=${width}:${height}:flags=${flags}[${name}]`),
    ].join(';');

/** Every rung from the next larger one. */
export const fromAbove =
  (flags = 'bicubic'): Scaling =>
  (rungs) =>
    rungs
      .map(({ name, width, height }, i) => {
        const scale = `${i === 0 ? '[0:v]' : `[d${i - 1}]`}scale=${width}:${height}:flags=${flags}`;
        return i === rungs.length - 1 ? `${scale}[${name}]` : `${scale},split=2[${name}][d${i}]`;
      })
      .join(';');

/** One decode, one process. @param extra options for every rung */
export function oneCommand(
  input: string,
  dir: string,
  plan: VideoPlan,
  scaling: Scaling = fromSource(),
  extra: readonly string[] = [],
): Promise<Cost> {
  return measured(dir, plan, () =>
    ffmpeg([
      ...['-i', input, '-filter_complex', scaling(plan.rungs)],
      ...plan.rungs.flatMap((rung) => [
        '-map',
        `[${rung.name}]`,
        ...video(plan, rung),
        ...extra,
        ...hls(plan, dir, rung.name),
      ]),
      ...sound(plan, dir),
    ]),
  );
}

/** One process after the other, the first with the sound. */
export function onePerRung(input: string, dir: string, plan: VideoPlan): Promise<Cost> {
  return measured(dir, plan, async () => {
    for (const [i, rung] of plan.rungs.entries()) {
      const scale = ['-map', '0:v', '-vf', `scale=${rung.width}:${rung.height}`];
      await ffmpeg([
        ...['-i', input, ...scale, ...video(plan, rung), ...hls(plan, dir, rung.name)],
        ...(i === 0 ? sound(plan, dir) : []),
      ]);
    }
  });
}

async function measured(dir: string, plan: VideoPlan, work: () => Promise<void>): Promise<Cost> {
  await rm(dir, { recursive: true, force: true });
  for (const name of [...plan.rungs.map((rung) => rung.name), 'audio'])
    await mkdir(join(dir, name), { recursive: true });
  const cores = coreSeconds();
  const started = performance.now();
  await work();
  return { seconds: (performance.now() - started) / 1000, coreSeconds: coreSeconds() - cores };
}

function video({ grid }: VideoPlan, rung: VideoRung): string[] {
  const gop = `${grid!.gopFrames}`;
  return [
    ...['-c:v', 'libx264', '-preset', rung.preset, '-profile:v', 'high', '-level', rung.level, '-pix_fmt', 'yuv420p'],
    ...['-crf', `${rung.crf}`, '-maxrate', `${rung.maxrateKbps}k`, '-bufsize', `${rung.bufsizeKbps}k`],
    ...['-g', gop, '-keyint_min', gop, '-sc_threshold', '0'],
  ];
}

const sound = (plan: VideoPlan, dir: string): string[] =>
  plan.audio
    .slice(0, 1)
    .flatMap((track) => [
      ...['-map', `0:${track.streamIndex}`, '-c:a', 'aac', '-b:a', `${track.bitrateKbps}k`, '-ac', `${track.channels}`],
      ...hls(plan, dir, 'audio'),
    ]);

const hls = ({ grid }: VideoPlan, dir: string, name: string): string[] => [
  ...['-f', 'hls', '-hls_time', `${secondsOf(grid!, grid!.segmentFrames)}`, '-hls_playlist_type', 'vod'],
  ...['-hls_segment_type', 'fmp4', '-hls_flags', 'independent_segments', '-hls_fmp4_init_filename', 'init.mp4'],
  ...['-hls_segment_filename', join(dir, name, 'seg-%05d.m4s'), join(dir, name, 'index.m3u8')],
];
