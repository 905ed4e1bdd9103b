/** What is made of a source: the grid, the rungs, the chunks, the audio tracks. */
import type { AudioFacts, AudioTrack, Chunk, Grid, VideoFacts, VideoPlan } from '../../contracts/plan.js';
import { outputFrameRate, toNumber } from './frame-rate.js';
import { ladder } from './ladder.js';

/** The group `video` of the configuration. */
export interface VideoSettings {
  readonly preset: string;
  readonly maxFps: number;
  /** Segments per chunk; 0: the whole video is one chunk. */
  readonly chunkSegments: number;
  /** Of a stereo track. */
  readonly audioKbps: number;
}

/** Seconds between IDR frames, and of a segment (rounded to whole frames). */
const GOP_SECONDS = 2;
const GOPS_PER_SEGMENT = 2;

/** A plan with more chunks would outgrow the 16 KB of a payload. */
const MAX_CHUNKS = 128;

/** The very first frame is often black: take one at a tenth, at most this late. */
const POSTER_SHARE = 0.1;
const POSTER_MAX_SECONDS = 5;

export function planVideo(facts: VideoFacts, settings: VideoSettings): VideoPlan {
  const audio = facts.audio.map((track, index) => audioTrack(track, index, facts.audio, settings));
  const { video } = facts;
  if (!video) return { v: 1, kind: 'audio', facts, rungs: [], chunks: [], audio };
  const grid = gridOf(video.frameRate, video.duration, settings.maxFps);
  return {
    v: 1,
    kind: 'video',
    facts,
    grid,
    rungs: ladder(video.width, video.height, toNumber(grid.fps), settings.preset),
    chunks: chunksOf(grid, settings.chunkSegments),
    audio,
  };
}

export function gridOf(sourceFps: number, seconds: number, maxFps: number): Grid {
  const fps = outputFrameRate(sourceFps, maxFps);
  const gopFrames = Math.round(GOP_SECONDS * toNumber(fps));
  return {
    fps,
    gopFrames,
    segmentFrames: gopFrames * GOPS_PER_SEGMENT,
    totalFrames: Math.max(1, Math.round(seconds * toNumber(fps))),
  };
}

export const segmentCount = (grid: Grid): number => Math.ceil(grid.totalFrames / grid.segmentFrames);

/** Frames of one segment; the last one is shorter. */
export function framesOfSegment(grid: Grid, segment: number): number {
  return Math.max(0, Math.min(grid.segmentFrames, grid.totalFrames - segment * grid.segmentFrames));
}

export function chunksOf(grid: Grid, chunkSegments: number): Chunk[] {
  const total = segmentCount(grid);
  const size = chunkSegments === 0 ? total : Math.max(chunkSegments, Math.ceil(total / MAX_CHUNKS));
  const poster = posterFrame(grid);
  return Array.from({ length: Math.ceil(total / size) }, (_, index) => {
    const firstSegment = index * size;
    const segments = Math.min(size, total - firstSegment);
    const posterSegment = Math.floor(poster / grid.segmentFrames);
    const isHere = posterSegment >= firstSegment && posterSegment < firstSegment + segments;
    return { index, firstSegment, segments, ...(isHere ? { posterFrame: poster } : {}) };
  });
}

function posterFrame({ fps, totalFrames }: Grid): number {
  const latest = Math.floor(POSTER_MAX_SECONDS * toNumber(fps));
  const wanted = Math.max(1, Math.min(Math.floor(totalFrames * POSTER_SHARE), latest));
  return Math.min(wanted, totalFrames - 1);
}

/** AAC, mono or stereo, at the source's family of sampling rates. */
function audioTrack(track: AudioFacts, index: number, all: readonly AudioFacts[], settings: VideoSettings): AudioTrack {
  const channels = track.channels === 1 ? 1 : 2;
  const firstDefault = all.findIndex((other) => other.isDefault);
  return {
    name: ['audio', index, track.language?.toLowerCase()].filter((part) => part !== undefined).join('-'),
    streamIndex: track.streamIndex,
    language: track.language,
    title: track.title,
    // HLS allows one default in a group.
    isDefault: index === Math.max(0, firstDefault),
    channels,
    bitrateKbps: channels === 1 ? Math.ceil(settings.audioKbps / 2) : settings.audioKbps,
    sampleRate: track.sampleRate % 11_025 === 0 ? 44_100 : 48_000,
  };
}
