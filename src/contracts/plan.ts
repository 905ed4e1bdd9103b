/**
 * Plans: what will be made of a source, decided once after inspection by pure functions in
 * `src/media`, carried by the workflow, executed by activities. Small (<= 16 KB as JSON).
 */

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
    readonly pixelFormat: string;
    /** `smpte2084` (PQ), `arib-std-b67` (HLG), ... as ffprobe names it. */
    readonly transfer?: string | undefined;
    readonly primaries?: string | undefined;
    readonly matrix?: string | undefined;
  };
  readonly audio: readonly AudioFacts[];
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

export interface VideoRung {
  /** `1080p`, `720p`, ...: the short side. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly codec: 'h264';
  readonly crf: number;
  /** Kilobits per second. */
  readonly maxrateKbps: number;
  readonly bufsizeKbps: number;
  readonly preset: string;
  /** H.264 level for the arguments and the codec string, e.g. `4.0`. */
  readonly level: string;
}

/** A run of segments that one activity encodes with one decode. */
export interface Chunk {
  readonly index: number;
  /** First segment of the chunk on the grid. */
  readonly firstSegment: number;
  readonly segments: number;
  /** Grid frame (0-based) that becomes the poster, when it lies in this chunk. */
  readonly posterFrame?: number | undefined;
}

export interface AudioTrack {
  /** `audio-0-eng`: unique within the asset. */
  readonly name: string;
  readonly streamIndex: number;
  readonly language?: string | undefined;
  readonly title?: string | undefined;
  readonly isDefault: boolean;
  /** Output channels. */
  readonly channels: number;
  readonly bitrateKbps: number;
  readonly sampleRate: number;
}

export interface VideoPlan {
  /** Changes whenever a reader of old plans would misread a new one. */
  readonly v: 1;
  readonly kind: 'video' | 'audio';
  readonly facts: VideoFacts;
  /** Absent for audio-only sources. */
  readonly grid?: Grid | undefined;
  readonly rungs: readonly VideoRung[];
  readonly chunks: readonly Chunk[];
  readonly audio: readonly AudioTrack[];
}

/** What one encode (a chunk of all rungs, or one audio track) brought. Per-segment facts stay in the store. */
export interface EncodedRendition {
  /** Name of the rung or the audio track. */
  readonly name: string;
  readonly segments: number;
  /** Media bytes without the init segment. */
  readonly bytes: number;
  /** Highest bit rate of one segment, bits per second. */
  readonly peakBitrate: number;
  /** Video frames, or audio samples. */
  readonly units: number;
  /** RFC 6381. */
  readonly codecs: string;
}

export interface ChunkResult {
  readonly index: number;
  readonly renditions: readonly EncodedRendition[];
  /** True when the source ended before the plan did: what decodes is kept and the rest of the plan is void. */
  readonly endedEarly: boolean;
  /** Frames that the decoder reported as damaged. */
  readonly damagedFrames?: number | undefined;
  /** Object key of the poster frame when this chunk made it. */
  readonly posterKey?: string | undefined;
}

export interface ImageVariant {
  /** `thumb.jpg`, `w640.webp`. */
  readonly name: string;
  readonly type: 'thumbnail' | 'image' | 'poster';
  readonly width: number;
  readonly height: number;
  readonly fit: 'cover' | 'inside';
  readonly format: 'jpeg' | 'webp' | 'png';
  /** 1-100. */
  readonly quality: number;
}

export interface ImagePlan {
  readonly v: 1;
  /** As displayed: orientation applied. */
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly reader: 'sharp' | 'imagemagick' | 'ffmpeg';
  readonly variants: readonly ImageVariant[];
}
