/** Sources that cost an encoder about what real films do: everything moves, with detail and grain. */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const ffmpeg = async (args: readonly string[]): Promise<void> => {
  await run('ffmpeg', ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args], { maxBuffer: 1 << 24 });
};

export interface FilmSpec {
  readonly seconds: number;
  readonly width: number;
  readonly height: number;
  /** kbit/s of the picture. */
  readonly kbps?: number;
}

/** 30 frames a second, a key frame every 2 s, stereo sound. */
export async function makeFilm(path: string, { seconds, width, height, kbps = 8000 }: FilmSpec): Promise<string> {
  // Drawn small and enlarged: the fractal itself would cost more than encoding it.
  const picture =
    `mandelbrot=size=480x270:rate=30:maxiter=400:end_scale=0.02:end_pts=400,` +
    `scale=${width}:${height}:flags=bicubic,noise=alls=4:allf=t,format=yuv420p`;
  await ffmpeg([
    ...['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', 'anoisesrc=c=pink:a=0.3:r=48000'],
    ...['-filter_complex', '[1:a]tremolo=f=0.5:d=0.8,aformat=channel_layouts=stereo[a]', '-map', '0:v', '-map', '[a]'],
    ...['-t', `${seconds}`, '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', `${kbps}k`, '-g', '60'],
    ...['-c:a', 'aac', '-b:a', '128k', '-movflags', '+faststart', path],
  ]);
  return path;
}

/** Repeats a film, without encoding, to a length. @param index where the file's index is: before or after the frames */
export async function loopFilm(
  film: { readonly path: string; readonly seconds: number },
  seconds: number,
  path: string,
  index: 'first' | 'last',
): Promise<string> {
  const list = `${path}.txt`;
  await writeFile(list, `file '${film.path}'\n`.repeat(Math.ceil(seconds / film.seconds)));
  const place = index === 'first' ? ['-movflags', '+faststart'] : [];
  await ffmpeg(['-f', 'concat', '-safe', '0', '-i', list, '-c', 'copy', '-t', `${seconds}`, ...place, path]);
  await rm(list);
  return path;
}
