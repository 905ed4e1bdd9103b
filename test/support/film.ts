/** A film whose every frame says which one it is, in a way that survives encoding and scaling. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The frame's number, as so many blocks side by side: white is 1, the lowest bit first. */
export const BITS = 12;

export interface Film {
  readonly seconds: number;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
}

/** With two sound tracks (English: beeps; French: a low tone) and English subtitles, one cue for each second. */
export async function makeFilm(path: string, { seconds, fps, width, height }: Film): Promise<string> {
  const block = Math.floor(width / BITS);
  const bits = Array.from({ length: BITS }, (_, bit) => {
    const x = bit * block;
    const at = (color: string, enable: string): string =>
      `drawbox=x=${x}:y=0:w=${block}:h=${Math.floor(height / 6)}:color=${color}:t=fill${enable}`;
    return `${at('black', '')},${at('white', `:enable='mod(floor(n/${2 ** bit}),2)'`)}`;
  });
  const captions = join(dirname(path), 'captions.srt');
  await writeFile(captions, srt(seconds));
  await run('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-y'],
    ...['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${fps}:duration=${seconds},${bits.join(',')}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=880:beep_factor=4:sample_rate=48000:duration=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=110:sample_rate=48000:duration=${seconds}`],
    ...['-i', captions],
    ...['-map', '0:v', '-map', '1:a', '-map', '2:a', '-map', '3:s'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '20', '-pix_fmt', 'yuv420p', '-g', String(fps * 2)],
    ...['-c:a', 'aac', '-c:s', 'mov_text', '-movflags', '+faststart'],
    ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=fra', '-metadata:s:s:0', 'language=eng'],
    ...['-disposition:a:0', 'default', path],
  ]);
  return path;
}

function srt(seconds: number): string {
  const time = (at: number): string =>
    `00:${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
  return Array.from({ length: seconds }, (_, i) => `${i + 1}\n${time(i)},100 --> ${time(i)},900\nsecond ${i}\n`).join(
    '\n',
  );
}
