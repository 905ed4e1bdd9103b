/** An animation as a silent video: how ffmpeg makes it of a strip of its frames, and what must come of it. */
import type { LoopPlan } from '../../contracts/image.js';
import type { FfmpegCommand } from '../ffmpeg-command.js';

/** All frames of an animation, one below the other in one lossless picture: ffmpeg reads no animated WebP. */
export interface Strip {
  /** How long each frame is shown, milliseconds, as the file has it. */
  readonly delays: readonly number[];
}

/** Names in the scratch folder and below the generation's `work/`. */
export const STRIP_FILE = 'strip.png';
export const STRIP_FACTS_FILE = 'strip.json';

/** Browsers show a frame that claims 10 ms or less for this long: such files count on it. Milliseconds. */
const DEFAULT_DELAY = 100;
const SHORTEST_DELAY = 10;

/** Times on which frames are shown, as browsers do. Milliseconds. */
export function shownFor({ delays }: Strip): number[] {
  return delays.map((delay) => (delay > SHORTEST_DELAY ? delay : DEFAULT_DELAY));
}

export const secondsOf = (strip: Strip): number => shownFor(strip).reduce((sum, delay) => sum + delay, 0) / 1000;

/** One millisecond: finer than any format of animations has it. */
const CLOCK = '1/1000';

const COLOURS = [
  ...['-colorspace', 'bt709', '-color_primaries', 'bt709'],
  ...['-color_trc', 'bt709', '-color_range', 'tv'],
];

const CODEC: Record<LoopPlan['format'], readonly string[]> = {
  mp4: [
    ...['-c:v', 'libx264', '-preset', 'medium', '-crf', '22', '-profile:v', 'high'],
    // Without frames that wait for later ones it needs no edit list, which not all players loop without a gap.
    ...['-bf', '0', '-movflags', '+faststart', '-video_track_timescale', '1000'],
  ],
  webm: ['-c:v', 'libvpx-vp9', '-b:v', '0', '-crf', '32', '-deadline', 'good', '-cpu-used', '4', '-row-mt', '1'],
};

/**
 * @param source the strip, in the scratch folder; each of its frames as large as the loop
 * @param strip at least one frame
 */
export function loopCommand({ name, format }: LoopPlan, source: string, strip: Strip): FfmpegCommand {
  const delays = shownFor(strip);
  const frames = delays.length;
  const filters = [
    `untile=1x${frames}`,
    `settb=${CLOCK}`,
    `setpts=${timesOf(delays)}`,
    'scale=out_color_matrix=bt709:out_range=tv',
    'format=yuv420p',
  ];
  const total = delays.reduce((sum, delay) => sum + delay, 0);
  return {
    // One picture a second becomes so many frames a second: what encoders take for the rate, to choose a level by.
    inputs: [{ file: source, options: ['-f', 'png_pipe', '-framerate', `1000/${total}`] }],
    filterGraph: `[0:v]${filters.join(',')}[v]`,
    outputs: [
      {
        file: name,
        options: [
          ...['-map', '[v]', '-an', '-fps_mode', 'vfr', '-enc_time_base', CLOCK],
          ...CODEC[format],
          // The last frame has no next one that says how long it lasts.
          ...['-bsf:v', `setts=duration='if(eq(N,${frames - 1}),${delays.at(-1)},DURATION)'`],
          ...COLOURS,
          ...['-f', format],
        ],
      },
    ],
  };
}

/** When frame N begins, as an expression: for each run of equal delays, how many of its frames are over. */
function timesOf(delays: readonly number[]): string {
  const runs: { readonly from: number; readonly delay: number; frames: number }[] = [];
  for (const [from, delay] of delays.slice(0, -1).entries()) {
    const last = runs.at(-1);
    if (last?.delay === delay) last.frames += 1;
    else runs.push({ from, delay, frames: 1 });
  }
  if (runs.length === 0) return '0';
  return sumOf(runs.map(({ from, delay, frames }) => `clip(N-${from}\\,0\\,${frames})*${delay}`));
}

/** ffmpeg takes expressions of a hundred levels, and a plain sum has one for each term. */
const TERMS = 8;

function sumOf(terms: readonly string[]): string {
  if (terms.length <= TERMS) return terms.join('+');
  const groups = Array.from({ length: Math.ceil(terms.length / TERMS) }, (_, i) =>
    terms.slice(i * TERMS, (i + 1) * TERMS),
  );
  return sumOf(groups.map((group) => `(${group.join('+')})`));
}

/** What `LOOP_PROBE` tells of a finished loop. */
export interface LoopReport {
  readonly streams?: readonly {
    readonly codec_name?: string;
    readonly pix_fmt?: string;
    readonly width?: number;
    readonly height?: number;
    readonly nb_read_packets?: string;
  }[];
  readonly format?: { readonly duration?: string };
}

/** Arguments of ffprobe. */
export const loopProbe = ({ format }: LoopPlan, file: string): string[] => [
  ...['-f', format === 'mp4' ? 'mov' : 'matroska', '-count_packets', '-of', 'json'],
  ...['-show_entries', 'stream=codec_name,pix_fmt,width,height,nb_read_packets:format=duration'],
  file,
];

/** @returns what is wrong, in words, or undefined */
export function findLoopFault(
  report: LoopReport,
  { format, width, height }: LoopPlan,
  strip: Strip,
): string | undefined {
  const [stream, ...others] = report.streams ?? [];
  if (!stream || others.length > 0) return `it has ${report.streams?.length ?? 0} streams`;
  const codec = format === 'mp4' ? 'h264' : 'vp9';
  if (stream.codec_name !== codec || stream.pix_fmt !== 'yuv420p')
    return `it is ${stream.codec_name} ${stream.pix_fmt} instead of ${codec} yuv420p`;
  if (stream.width !== width || stream.height !== height)
    return `it is ${stream.width}x${stream.height} instead of ${width}x${height}`;
  if (Number(stream.nb_read_packets) !== strip.delays.length)
    return `it has ${stream.nb_read_packets} frames instead of ${strip.delays.length}`;
  const seconds = Number(report.format?.duration);
  // A tick of the clock: what rounding may cost.
  if (!(Math.abs(seconds - secondsOf(strip)) <= 0.0015)) return `it lasts ${seconds} s instead of ${secondsOf(strip)}`;
  return undefined;
}
