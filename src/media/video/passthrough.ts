/**
 * Whether a source's own frames can be a rung as they are: a player must not be able to tell them from
 * encoded ones, and they must lie on the same grid as all other rungs.
 */
import {
  secondsOf,
  segmentCount,
  type Grid,
  type VideoFacts,
  type VideoPlan,
  type VideoRung,
} from '../../contracts/plan.js';
import type { FfmpegCommand } from '../ffmpeg-command.js';
import { boxesIn, descend, only } from './boxes.js';
import { CLEAN_OUTPUT, hlsOptions, SOURCE_FILE } from './encode-args.js';
import { forcedInput } from './ffmpeg-input.js';
import type { Track } from './sample-table.js';
import { pictureCodecs } from './sample-entry.js';

type Picture = NonNullable<VideoFacts['video']>;

/** What the index of a movie says of its picture. */
export interface SourcePicture {
  readonly track: Track;
  /** RFC 6381. */
  readonly codecs: string;
  /** As stored. */
  readonly width: number;
  readonly height: number;
  /** Neither turned nor mirrored. */
  readonly upright: boolean;
  /** Bytes of the number in front of each NAL unit. */
  readonly lengthBytes: number;
}

/** Bytes of a VisualSampleEntry before its child boxes, and where its size is (14496-12, 12.1.3). */
const VISUAL = { width: 24, height: 26, children: 78 };
const UPRIGHT = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/**
 * @param moov the whole box
 * @returns undefined for everything but H.264 with its parameter sets in the index
 */
export function readSourcePicture(moov: Buffer, streamIndex: number, track: Track): SourcePicture | undefined {
  try {
    const trak = descend(moov, ['moov', 'trak'])[streamIndex];
    if (!trak) return undefined;
    const stsd = only(moov, ['mdia', 'minf', 'stbl', 'stsd'], trak);
    const [entry, ...others] = boxesIn(moov, stsd.body + 8, stsd.end);
    if (entry?.type !== 'avc1' || others.length > 0) return undefined;
    const avcC = only(moov, ['avcC'], { ...entry, body: entry.body + VISUAL.children });
    const tkhd = only(moov, ['tkhd'], trak);
    const matrix = tkhd.body + (moov[tkhd.body] === 1 ? 52 : 40);
    return {
      track,
      codecs: pictureCodecs(moov, entry)!,
      width: moov.readUInt16BE(entry.body + VISUAL.width),
      height: moov.readUInt16BE(entry.body + VISUAL.height),
      upright: UPRIGHT.every((value, i) => moov.readUInt32BE(matrix + i * 4) === value),
      lengthBytes: (moov[avcC.body + 4]! & 3) + 1,
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** 5.1: 2160p30. What phones and televisions of ten years take. */
const MAX_LEVEL = 51;
/** profile_idc of Baseline, Main, High. */
const BASELINE = 66;
const PROFILES = new Set([BASELINE, 77, 100]);
/** constraint_set1_flag: Baseline without what no decoder has (arbitrary slice order). */
const CONSTRAINED = 0x40;
/** Apple's authoring specification, 1.30: the peak is at most so many times the average. */
const MAX_PEAK = 2;
/** Seconds. */
const SAME_TIME = 0.001;

export interface PassThrough {
  readonly rungs: readonly VideoRung[];
  /** Why it is not to be. */
  readonly reason?: string;
  /** Where in the file some key frames begin, for `isIdr` to look at: the index does not tell all. */
  readonly keyFrames?: readonly number[];
}

/** Key frames that are looked at: an encoder makes all but the first alike. */
const LOOKS = 6;

/**
 * The ladder with the top H.264 rung marked as the source's own frames, where they fit; else as it is,
 * with the reason. One rung below stays to be encoded: it is what a player starts with.
 */
export function passThrough(
  rungs: readonly VideoRung[],
  grid: Grid,
  facts: VideoFacts,
  source: SourcePicture,
): PassThrough {
  const top = rungs.findIndex(({ codec }) => codec === 'h264');
  const rung = rungs[top];
  if (!rung || rungs.filter(({ codec }) => codec === 'h264').length < 2) return { rungs, reason: 'no rung below it' };
  const reason = unfitPicture(facts.video, rung, source);
  if (reason !== undefined) return { rungs, reason };
  const measured = measure(source.track, grid, facts.index?.originSeconds ?? 0);
  if (typeof measured === 'string') return { rungs, reason: measured };
  if (measured.peakKbps > rung.maxrateKbps) return { rungs, reason: 'more bits than the rung may have' };
  if (measured.peakKbps > measured.meanKbps * MAX_PEAK) return { rungs, reason: 'its peaks are too high' };
  const own: VideoRung = {
    ...rung,
    codecs: source.codecs,
    level: levelName(source.codecs),
    maxrateKbps: measured.peakKbps,
    passthrough: true,
    encoded: { codecs: rung.codecs, level: rung.level, maxrateKbps: rung.maxrateKbps },
  };
  return { rungs: rungs.map((other, i) => (i === top ? own : other)), keyFrames: measured.keyFrames };
}

/** The rung as it was planned before it was to be copied; undefined where that is not known. */
export function encodedInstead({ passthrough: _, encoded, ...rung }: VideoRung): VideoRung | undefined {
  return encoded && { ...rung, ...encoded };
}

const byte = (codecs: string, index: number): number => Number.parseInt(codecs.slice(5 + index * 2, 7 + index * 2), 16);
const levelName = (codecs: string): string => (byte(codecs, 2) / 10).toFixed(1);

function unfitPicture(video: Picture | undefined, rung: VideoRung, source: SourcePicture): string | undefined {
  if (!video) return 'no picture';
  const [profile, constraints, level] = [0, 1, 2].map((i) => byte(source.codecs, i)) as [number, number, number];
  if (!PROFILES.has(profile) || (profile === BASELINE && !(constraints & CONSTRAINED))) return 'its profile';
  if (level > MAX_LEVEL || source.lengthBytes !== 4) return 'its level or packing';
  if (video.pixelFormat !== 'yuv420p') return 'its pixel format';
  if (video.interlaced) return 'interlaced';
  if (!source.upright || video.rotation !== 0) return 'turned or mirrored';
  // Facts count square pixels, the index counts stored ones.
  if (source.width !== video.width || source.height !== video.height) return 'its pixels are not square';
  if (rung.width !== source.width || rung.height !== source.height) return 'no rung of its size';
  const isSdr = [video.transfer, video.primaries, video.matrix].every((tag) => tag === undefined || tag === 'bt709');
  // Without a tag, players take small pictures for BT.601: what the other rungs say would look different.
  if (!isSdr || (video.matrix === undefined && Math.min(video.width, video.height) < 720)) return 'its colours';
  return undefined;
}

interface Measured {
  /** Of the largest segment, and of all. */
  readonly peakKbps: number;
  readonly meanKbps: number;
  readonly keyFrames: readonly number[];
}

/** @returns why it does not fit, or what it is like */
function measure(track: Track, grid: Grid, originSeconds: number): string | Measured {
  const { timescale, edit, samples } = track;
  const { fps, segmentFrames, totalFrames } = grid;
  const step = (timescale * fps.den) / fps.num;
  if (samples !== totalFrames || !Number.isInteger(step)) return 'its frame rate';
  const bytes = new Array<number>(segmentCount(grid)).fill(0);
  const looks = new Set(Array.from({ length: LOOKS }, (_, i) => Math.ceil((i * (bytes.length - 1)) / (LOOKS - 1))));
  const keyFrames: number[] = [];
  let [index, first, latest] = [0, NaN, -Infinity];
  let reason: string | undefined;
  track.walk(({ cts, duration, offset, size, sync }) => {
    if (index === 0) first = cts;
    const frame = (cts - first) / step;
    const isLast = index === totalFrames - 1;
    if ((duration !== step && !isLast) || !Number.isInteger(frame) || frame < 0 || frame >= totalFrames)
      reason = 'its frame rate';
    else if (edit && (cts < edit.from || cts >= edit.until)) reason = 'frames that are not shown';
    // Closed: all frames before it are shown before it, and as many as there are places before it.
    else if (index % segmentFrames === 0 && !(sync && frame === index && latest < cts)) reason = 'its key frames';
    if (index % segmentFrames === 0 && looks.has(index / segmentFrames)) keyFrames.push(offset);
    latest = Math.max(latest, cts);
    bytes[Math.floor(index / segmentFrames)]! += size;
    index += 1;
    return reason !== undefined;
  });
  if (reason !== undefined) return reason;
  const start = (edit ? edit.delay : first) / timescale - originSeconds;
  if (Math.abs(start) > SAME_TIME) return 'it begins later than the sound';
  const kbps = (size: number, frames: number): number => (size * 8 * fps.num) / fps.den / frames / 1000;
  const rates = bytes.map((size, i) => kbps(size, Math.min(segmentFrames, totalFrames - i * segmentFrames)));
  const total = bytes.reduce((sum, size) => sum + size, 0);
  return { peakKbps: Math.ceil(Math.max(...rates)), meanKbps: kbps(total, totalFrames), keyFrames };
}

/** NAL unit types of H.264 (table 7-1). */
const FIRST_SLICE = 1;
const IDR_SLICE = 5;

/** How much of a frame `isIdr` needs to see: what comes before its first slice is small. Bytes. */
export const IDR_BYTES = 4096;

/** Whether nothing before this frame is needed for it and for what follows: "sync sample" says less than that. */
export function isIdr(frame: Buffer): boolean {
  for (let at = 0; at + 5 <= frame.length; at += 4 + frame.readUInt32BE(at)) {
    const type = frame[at + 4]! & 0x1f;
    if (type >= FIRST_SLICE && type <= IDR_SLICE) return type === IDR_SLICE;
  }
  return false;
}

export function startsWithIdr(fragment: Buffer): boolean {
  const { body, end } = only(fragment, ['mdat']);
  return isIdr(fragment.subarray(body, end));
}

/** One ffmpeg over the whole source, that cuts and decodes nothing. */
export function copyRungCommand({ facts, grid }: VideoPlan, rung: VideoRung): FfmpegCommand {
  if (!facts.video || !grid) throw new TypeError('a rung needs a picture and a grid');
  return {
    inputs: [{ file: SOURCE_FILE, options: forcedInput(facts.container) }],
    outputs: [
      {
        file: `${rung.name}/index.m3u8`,
        options: [
          '-map', `0:${facts.video.streamIndex}`, '-c:v', 'copy',
          ...CLEAN_OUTPUT,
          ...hlsOptions(rung.name, secondsOf(grid, grid.segmentFrames), 0),
        ], // prettier-ignore
      },
    ],
  };
}
