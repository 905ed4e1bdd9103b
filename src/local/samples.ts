/** Media for the demo and for tests: made by ffmpeg, so that nothing needs to be shipped. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface VideoSample {
  readonly seconds: number;
  readonly width: number;
  readonly height: number;
  readonly fps?: number;
  readonly sound?: boolean;
}

/** A moving test picture with a running clock and, with `sound`, a tone that beeps every second. */
export async function makeVideo(
  path: string,
  { seconds, width, height, fps = 30, sound = true }: VideoSample,
): Promise<string> {
  const picture = `testsrc2=size=${width}x${height}:rate=${fps}:duration=${seconds}`;
  await ffmpeg([
    ...['-f', 'lavfi', '-i', picture],
    ...(sound
      ? ['-f', 'lavfi', '-i', `sine=frequency=440:beep_factor=4:sample_rate=48000:duration=${seconds}`, '-c:a', 'aac']
      : []),
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '20', '-pix_fmt', 'yuv420p', path],
  ]);
  return path;
}

/** A 12-megapixel picture with smooth gradients, edges and grain, as a camera would deliver. */
export async function makePhoto(path: string, width = 4000, height = 3000): Promise<string> {
  const picture = `mandelbrot=size=${width}x${height}:start_scale=0.4:maxiter=200,noise=alls=8:allf=u,gblur=sigma=0.7`;
  await ffmpeg(['-f', 'lavfi', '-i', picture, '-frames:v', '1', '-q:v', '3', path]);
  return path;
}

/** The demo's two uploads. */
export async function makeSamples(dir: string): Promise<string[]> {
  await mkdir(dir, { recursive: true });
  return Promise.all([
    makeVideo(join(dir, 'sample 1080p.mp4'), { seconds: 20, width: 1920, height: 1080 }),
    makePhoto(join(dir, 'sample photo.jpg')),
  ]);
}

async function ffmpeg(args: readonly string[]): Promise<void> {
  await run('ffmpeg', ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args]);
}
