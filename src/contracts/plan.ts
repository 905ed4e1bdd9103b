/**
 * Plans: what will be made of a source, decided once after inspection by pure functions in
 * `src/media`, carried by the workflow, executed by activities. Small (<= 16 KB as JSON).
 */
import type { EncodeTiming } from './pace.js';

export interface Rational {
  readonly num: number;
  readonly den: number;
}

/** What inspection found, as far as later steps need it. Sizes are as displayed: rotated, square pixels. */
export interface VideoFacts {
  readonly container: string;
  /** Seconds, measured from packets, never the header's word alone. */
  readonly duration: number;
  /** Whether the demuxer can be trusted to seek. */
  readonly seekable: boolean;
  /** Seconds that the header promises, when the file ends before that. */
  readonly truncatedFrom?: number | undefined;
  readonly video?: {
    /** Index of the stream within the file. */
    readonly streamIndex: number;
    readonly codec: string;
    readonly width: number;
    readonly height: number;
    /** Degrees clockwise that a player turns the picture by: 0, 90, 180, 270. ffmpeg applies it while decoding. */
    readonly rotation: number;
    readonly interlaced: boolean;
    /** Mean rate of the source; where frames were left out, the rate of its moving parts. */
    readonly frameRate: number;
    /** Seconds from the start of the file to the end of the last frame. */
    readonly duration: number;
    /** Seconds from the start of the file to which the last frame is held, where the sound goes on much longer. */
    readonly heldUntil?: number | undefined;
    readonly pixelFormat: string;
    /** `smpte2084` (PQ), `arib-std-b67` (HLG), ... as ffprobe names it. */
    readonly transfer?: string | undefined;
    readonly primaries?: string | undefined;
    readonly matrix?: string | undefined;
  };
  readonly audio: readonly AudioFacts[];
  /** Text subtitles only. */
  readonly subtitles: readonly SubtitleFacts[];
  /** Set when any part of the source can be read without the rest of it. */
  readonly index?: SourceIndex | undefined;
}

/**
 * Where an MP4 or MOV keeps its sample tables: with these, the bytes of any stretch of time are known,
 * and a chunk can be decoded from a few ranges of the object. Bytes from the start of the object.
 */
export interface SourceIndex {
  readonly moovOffset: number;
  readonly moovBytes: number;
  /** Seconds on the file's own clock where the grid's clock is 0. */
  readonly originSeconds: number;
}

export interface SubtitleFacts {
  readonly streamIndex: number;
  readonly codec: string;
  readonly language?: string | undefined;
  readonly title?: string | undefined;
  readonly isDefault: boolean;
  readonly isForced: boolean;
}

export interface AudioFacts {
  readonly streamIndex: number;
  readonly codec: string;
  readonly channels: number;
  readonly sampleRate: number;
  /** Seconds from the start of the file to the end of the last sample. */
  readonly duration: number;
  readonly language?: string | undefined;
  readonly title?: string | undefined;
  readonly isDefault: boolean;
}

/** The fixed time grid that all rungs share. */
export interface Grid {
  /** Constant output frame rate. */
  readonly fps: Rational;
  /** Frames between two IDR frames (2 s). */
  readonly gopFrames: number;
  /** Frames of a segment (4 s); a multiple of `gopFrames`. */
  readonly segmentFrames: number;
  /** Frames of the whole video. The real end may come earlier when a source is truncated. */
  readonly totalFrames: number;
}

export type VideoCodec = 'h264' | 'hevc' | 'av1' | 'vp9';

export interface VideoRung {
  /** `1080p`, `720p`, ...: the short side; with another codec than H.264 `1080p-hevc`. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly codec: VideoCodec;
  readonly crf: number;
  /** Kilobits per second. */
  readonly maxrateKbps: number;
  readonly bufsizeKbps: number;
  readonly preset: string;
  /** Level as the encoder takes it, e.g. `4.0`. */
  readonly level: string;
  /** RFC 6381, known before the first frame is encoded; verified against the init segment. */
  readonly codecs: string;
  /** The source's own frames, not encoded again. */
  readonly passthrough?: true | undefined;
  /** Of a copied rung: what it is when it has to be encoded after all. */
  readonly encoded?: Pick<VideoRung, 'codecs' | 'level' | 'maxrateKbps'> | undefined;
}

/** A run of whole segments that one activity encodes with one decode. */
export interface Chunk {
  /** First segment on the grid. */
  readonly firstSegment: number;
  readonly segments: number;
}

/** Sound is cut by the second, not by the grid of the picture: a segment ends with the first frame behind its time. */
export const AUDIO_SEGMENT_SECONDS = 4;

export interface AudioTrack {
  /** `audio-0-eng`: unique within the asset. */
  readonly name: string;
  readonly streamIndex: number;
  readonly language?: string | undefined;
  readonly title?: string | undefined;
  readonly isDefault: boolean;
  /** Output channels: 1, 2 or 6 (5.1). */
  readonly channels: number;
  readonly bitrateKbps: number;
  readonly sampleRate: number;
}

export interface SubtitleTrack {
  /** `subs-0-eng`: unique within the asset. */
  readonly name: string;
  readonly streamIndex: number;
  readonly language?: string | undefined;
  readonly title?: string | undefined;
  readonly isDefault: boolean;
  readonly isForced: boolean;
}

/** Names of the pictures as parts of a plan. */
export const POSTER = 'poster';
export const STORYBOARD = 'storyboard';

/** Single frames that the chunks leave behind on their way, for the image queue to make pictures of. */
export interface StillsPlan {
  /** Grid frames of which the best becomes the poster; one where the profile names a time. Ascending. */
  readonly posterFrames: readonly number[];
  readonly storyboard?: StoryboardPlan | undefined;
}

export interface StoryboardPlan {
  /** Grid frames from tile to tile. Tile `i` is frame `i * intervalFrames`. */
  readonly intervalFrames: number;
  readonly tiles: number;
  /** Pixels of one tile, even. */
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** Tiles of a sheet. */
  readonly columns: number;
  readonly rows: number;
  readonly format: 'jpeg' | 'webp';
}

/** EBU R 128: one linear gain for the whole track. */
export interface LoudnessPlan {
  /** LUFS, e.g. -16. */
  readonly target: number;
  /** Highest true peak after the gain, dBTP, e.g. -1. */
  readonly truePeak: number;
}

export interface WatermarkPlan {
  /** File name in the folder of the profiles. */
  readonly file: string;
  readonly corner: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right';
  /** Of the picture's width, 0-1. */
  readonly width: number;
  /** Of the picture's width, 0-1. */
  readonly margin: number;
  /** 0-1 */
  readonly opacity: number;
}

/** Kept beside the outputs as `plan.json` too, for players, `verify` and `repair`. */
export interface VideoPlan {
  /** Changes whenever a reader of old plans would misread a new one. */
  readonly v: 2;
  readonly kind: 'video' | 'audio';
  readonly facts: VideoFacts;
  /** Absent for audio-only sources. */
  readonly grid?: Grid | undefined;
  /** Largest first. */
  readonly rungs: readonly VideoRung[];
  /** Segments that a chunk grows to; 0: one continuous pass. `chunksOf` says which chunks that makes. */
  readonly chunkSegments: number;
  readonly audio: readonly AudioTrack[];
  readonly subtitles: readonly SubtitleTrack[];
  readonly stills: StillsPlan;
  readonly loudness?: LoudnessPlan | undefined;
  readonly watermark?: WatermarkPlan | undefined;
  /** Sampled SSIM against the source below which a rung's chunk is refused, 0-1. 0: not measured. */
  readonly minSsim: number;
}

export const segmentCount = (grid: Grid): number => Math.ceil(grid.totalFrames / grid.segmentFrames);

/** Frames of one segment; the last one is shorter. */
export function framesOfSegment(grid: Grid, segment: number): number {
  return Math.max(0, Math.min(grid.segmentFrames, grid.totalFrames - segment * grid.segmentFrames));
}

export const framesOfChunk = (grid: Grid, { firstSegment, segments }: Chunk): number =>
  Math.max(
    0,
    Math.min(grid.totalFrames, (firstSegment + segments) * grid.segmentFrames) - firstSegment * grid.segmentFrames,
  );

export const secondsOf = ({ fps }: Pick<Grid, 'fps'>, frames: number): number => (frames * fps.den) / fps.num;

/** The first chunk is one segment, so that it is there soon; each next one is twice as long, up to the plan's size. */
export function chunksOf({ grid, chunkSegments }: Pick<VideoPlan, 'grid' | 'chunkSegments'>): Chunk[] {
  if (!grid) return [];
  const total = segmentCount(grid);
  const chunks: Chunk[] = [];
  for (let firstSegment = 0, size = 1; firstSegment < total; size = Math.min(size * 2, chunkSegments)) {
    const segments = chunkSegments === 0 ? total : Math.min(size, total - firstSegment);
    chunks.push({ firstSegment, segments });
    firstSegment += segments;
  }
  return chunks;
}

/** What one chunk brought. What the store holds is for verification to say. */
export interface ChunkResult {
  /** Frames of each rung, over all attempts. */
  readonly frames: number;
  /** True when the source ended before the plan did: what decodes is kept and the rest of the plan is void. */
  readonly endedEarly: boolean;
  /** Frames that the decoder reported as damaged. */
  readonly damagedFrames: number;
  /** Lowest sampled SSIM of each rung against the source; empty where it was not measured. */
  readonly quality: readonly RungQuality[];
  /** Rungs that were asked for and are to follow: others need the machine before their deadlines. */
  readonly left?: readonly string[] | undefined;
  /** Of a job with a deadline. */
  readonly timing?: EncodeTiming | undefined;
}

export interface RungQuality {
  readonly name: string;
  readonly ssim: number;
}

export interface EncodedAudio {
  readonly name: string;
  /** Samples of each channel, priming and padding included. */
  readonly samples: number;
  /** Measured in the source. */
  readonly loudness?: { readonly integrated: number; readonly truePeak: number } | undefined;
  /** dB, applied. */
  readonly gain: number;
  /** Packets that the decoder called damaged: a lower bound. */
  readonly damagedFrames?: number | undefined;
}
