/** Media made and looked at by the real tools, for tests. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export async function ffmpeg(...args: string[]): Promise<void> {
  await exec('ffmpeg', ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args]);
}

export interface Decoded {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly sampleAspect: string;
  readonly pixelFormat: string;
  readonly hasRotation: boolean;
  /** Seconds between frames: the smallest and the largest. */
  readonly steps: readonly [number, number];
}

/** Decodes every frame of a media playlist and looks at its time stamps. */
export async function decode(playlist: string): Promise<Decoded> {
  const entries = 'frame=best_effort_timestamp_time:stream=width,height,sample_aspect_ratio,pix_fmt:stream_side_data';
  const options = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', entries, '-of', 'json', playlist];
  const { stdout, stderr } = await exec('ffprobe', options, { maxBuffer: 64 * 1024 ** 2 });
  if (stderr !== '') throw new Error(stderr);
  const report = JSON.parse(stdout) as {
    frames?: { best_effort_timestamp_time: string }[];
    streams: {
      width: number;
      height: number;
      sample_aspect_ratio: string;
      pix_fmt: string;
      side_data_list?: unknown[];
    }[];
  };
  const [stream] = report.streams;
  const times = (report.frames ?? []).map((frame) => Number(frame.best_effort_timestamp_time));
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  return {
    frames: times.length,
    width: stream!.width,
    height: stream!.height,
    sampleAspect: stream!.sample_aspect_ratio,
    pixelFormat: stream!.pix_fmt,
    hasRotation: stream!.side_data_list !== undefined,
    steps: [Math.min(...steps), Math.max(...steps)],
  };
}

/** Decoded samples of an audio playlist, per channel. */
export async function decodeSound(playlist: string): Promise<Int16Array> {
  const options = ['-v', 'error', '-i', playlist, '-ac', '1', '-f', 's16le', '-'];
  const { stdout } = await exec('ffmpeg', options, { encoding: 'buffer', maxBuffer: 256 * 1024 ** 2 });
  return new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length / 2);
}

/** Brightness of every frame of a playlist, as a grid of so many fields: tells frames and sides apart. */
export async function lumas(playlist: string, grid = '1:1'): Promise<number[]> {
  const filter = `scale=${grid}:flags=area,format=gray`;
  const options = ['-v', 'error', '-i', playlist, '-vf', filter, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'];
  const { stdout } = await exec('ffmpeg', options, { encoding: 'buffer', maxBuffer: 64 * 1024 ** 2 });
  return [...stdout];
}

/** A copy with some of its bytes turned over, evenly between two shares of its length. */
export async function damage(path: string, to: string, count: number, from = 0.3, until = 0.9): Promise<string> {
  const bytes = await readFile(path);
  for (let i = 0; i < count; i += 1) {
    const at = Math.floor(bytes.length * (from + ((until - from) * i) / count));
    bytes[at] = bytes[at]! ^ 0xff;
  }
  await writeFile(to, bytes);
  return to;
}
