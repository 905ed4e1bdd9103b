/** Levels: how much a decoder must be able to do. H.264: ITU-T H.264, Annex A, table A-1. Others: level-tables.ts. */
import type { VideoCodec } from '../../contracts/plan.js';
import { AV1_LEVELS, HEVC_LEVELS, VP9_LEVELS, type SampleLimits } from './level-tables.js';

export interface Load {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly maxrateKbps: number;
  readonly bufsizeKbps: number;
}

const TABLES: Record<Exclude<VideoCodec, 'h264'>, readonly SampleLimits[]> = {
  hevc: HEVC_LEVELS,
  av1: AV1_LEVELS,
  vp9: VP9_LEVELS,
};

/** The lowest level that allows this load, `4.0`; the highest one where none does. */
export function levelOf(codec: VideoCodec, { width, height, fps, maxrateKbps, bufsizeKbps }: Load): string {
  if (codec === 'h264') return h264Level(width, height, fps, maxrateKbps, bufsizeKbps);
  const picture = width * height;
  const fits = TABLES[codec].find(
    (limit) =>
      picture <= limit.picture &&
      Math.max(width, height) <= limit.side &&
      picture * fps <= limit.rate &&
      maxrateKbps <= limit.kbps &&
      bufsizeKbps <= limit.bufferKbits,
  );
  return (fits ?? TABLES[codec].at(-1)!).level;
}

interface LevelLimits {
  readonly level: string;
  /** Macroblocks per second. */
  readonly mbps: number;
  /** Macroblocks per frame. */
  readonly frame: number;
  /** Macroblocks in the decoded picture buffer. */
  readonly dpb: number;
  /** Kilobits per second, and kilobits of the coded picture buffer, both for the Main profile. */
  readonly rate: number;
  readonly buffer: number;
}

const limits = (
  level: string,
  mbps: number,
  frame: number,
  dpb: number,
  bitrate: number,
  buffer: number,
): LevelLimits => ({
  level,
  mbps,
  frame,
  dpb,
  rate: bitrate,
  buffer,
});

const LEVELS: readonly LevelLimits[] = [
  limits('1.0', 1_485, 99, 396, 64, 175),
  limits('1.1', 3_000, 396, 900, 192, 500),
  limits('1.2', 6_000, 396, 2_376, 384, 1_000),
  limits('1.3', 11_880, 396, 2_376, 768, 2_000),
  limits('2.0', 11_880, 396, 2_376, 2_000, 2_000),
  limits('2.1', 19_800, 792, 4_752, 4_000, 4_000),
  limits('2.2', 20_250, 1_620, 8_100, 4_000, 4_000),
  limits('3.0', 40_500, 1_620, 8_100, 10_000, 10_000),
  limits('3.1', 108_000, 3_600, 18_000, 14_000, 14_000),
  limits('3.2', 216_000, 5_120, 20_480, 20_000, 20_000),
  limits('4.0', 245_760, 8_192, 32_768, 20_000, 25_000),
  limits('4.1', 245_760, 8_192, 32_768, 50_000, 62_500),
  limits('4.2', 522_240, 8_704, 34_816, 50_000, 62_500),
  limits('5.0', 589_824, 22_080, 110_400, 135_000, 135_000),
  limits('5.1', 983_040, 36_864, 184_320, 240_000, 240_000),
  limits('5.2', 2_073_600, 36_864, 184_320, 240_000, 240_000),
];

/** Rate and buffer limits of the High profile are this much above the table's (A.3.3). */
const HIGH_PROFILE = 1.25;

/** Frames that x264 keeps: reference frames and a pyramid of B frames. `videoCodecArgs` lets no preset keep more. */
export const BUFFERED_FRAMES = 4;

/** The lowest level of the High profile that allows this picture size, frame rate and bit rate. */
export function h264Level(
  width: number,
  height: number,
  fps: number,
  maxrateKbps: number,
  bufsizeKbps: number,
): string {
  const columns = Math.ceil(width / 16);
  const rows = Math.ceil(height / 16);
  const frame = columns * rows;
  const fits = LEVELS.find(
    (level) =>
      frame <= level.frame &&
      // A.3.1: neither side may exceed Sqrt(MaxFS * 8) macroblocks.
      Math.max(columns, rows) <= Math.sqrt(level.frame * 8) &&
      frame * fps <= level.mbps &&
      frame * BUFFERED_FRAMES <= level.dpb &&
      maxrateKbps <= level.rate * HIGH_PROFILE &&
      bufsizeKbps <= level.buffer * HIGH_PROFILE,
  );
  return (fits ?? LEVELS.at(-1)!).level;
}
