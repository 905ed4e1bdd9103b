/** One ffmpeg run for a chunk: one decode, all rungs, and on the way the single frames that others need. */
import {
  framesOfChunk,
  secondsOf,
  type Chunk,
  type Grid,
  type VideoFacts,
  type VideoPlan,
  type VideoRung,
} from '../../contracts/plan.js';
import type { FfmpegCommand, FfmpegFile } from '../ffmpeg-command.js';
import { NO_STILLS, type ChunkStills } from './chunk-result.js';
import { videoCodecArgs } from './codec-args.js';
import { forcedInput } from './ffmpeg-input.js';
import { filterGraph, padOf, placeOf, POSTER_PAD, referencePad, sizeName, TILE_PAD, type Size } from './filters.js';
import { toNumber } from './frame-rate.js';
import { INIT_FILE } from './layout.js';

export const SOURCE_FILE = 'source';
export const WATERMARK_FILE = 'watermark.png';

/** Folders within the scratch folder: single frames, and frames as the encoders got them. */
export const STILLS_DIR = 'stills';
export const REFERENCE_DIR = 'reference';
/** Planar 4:2:0, 8 bits, frame after frame. */
export const referenceFile = (size: Size): string => `${REFERENCE_DIR}/${sizeName(size)}.yuv`;

/** What a file in `STILLS_DIR` is: the poster's frames go by grid frame, the tiles by their number. */
export function stillOf(name: string): { readonly kind: 'poster' | 'tile'; readonly number: number } | undefined {
  const [, kind, digits] = /^(poster|tile)-(\d+)\.jpg$/.exec(name) ?? [];
  return kind === undefined ? undefined : { kind: kind as 'poster' | 'tile', number: Number(digits) };
}

export interface ChunkRun {
  readonly command: FfmpegCommand;
  readonly frames: number;
  /** Media that is decoded before the first wanted frame. Seconds. */
  readonly leadSeconds: number;
  /** Folders that its outputs lie in. */
  readonly folders: readonly string[];
}

export interface ChunkRunOptions {
  readonly rungs: readonly VideoRung[];
  readonly stills?: ChunkStills;
  readonly isHasty?: boolean | undefined;
  /** Grid frames of which the encoders' own input is kept, in these sizes. */
  readonly references?: { readonly sizes: readonly Size[]; readonly frames: readonly number[] } | undefined;
}

/**
 * The output of rendition `r` lands in folder `r/`: `init.mp4` and `seg-%05d.m4s`, whole files under
 * their final names only. Time stamps start at 0 in every run; `alignFragment` moves them.
 *
 * @param chunk what to make: of a chunk that an attempt before left in the middle, the rest
 */
export function encodeChunkRun(
  plan: VideoPlan,
  chunk: Chunk,
  { rungs, references, isHasty = false, stills = NO_STILLS }: ChunkRunOptions,
): ChunkRun {
  const { facts, grid, watermark, rungs: planned } = plan;
  const frames = grid ? framesOfChunk(grid, chunk) : 0;
  if (!facts.video || !grid || (rungs.length === 0 && !references) || frames === 0)
    throw new TypeError('a chunk needs a picture, a grid, a frame and a rung');
  const startFrame = chunk.firstSegment * grid.segmentFrames;
  const place = placeOf(facts.video, grid, startFrame, facts.seekable);
  const { seekFrame } = place;
  const hasReferences = references !== undefined && references.frames.length > 0;
  const { posterFrames, tiles } = stills;
  return {
    frames,
    leadSeconds: (startFrame - seekFrame) / toNumber(grid.fps),
    folders: [
      ...rungs.map(({ name }) => name),
      ...(hasReferences ? [REFERENCE_DIR] : []),
      ...(posterFrames.length + tiles.length > 0 ? [STILLS_DIR] : []),
    ],
    command: {
      inputs: [
        {
          file: SOURCE_FILE,
          options: [
            ...forcedInput(facts.container),
            // A picture that changes its size in the middle must not restart the grid: `scale` copes with it.
            '-reinit_filter', '0',
            ...(seekFrame > 0 ? ['-noaccurate_seek', '-ss', (seekFrame / toNumber(grid.fps)).toFixed(6)] : []),
          ], // prettier-ignore
        },
        ...(watermark ? [{ file: WATERMARK_FILE, options: forcedInput('png_pipe') }] : []),
      ],
      filterGraph: filterGraph({
        video: facts.video,
        grid,
        rungs,
        startFrame,
        frames,
        place,
        references: hasReferences ? references : undefined,
        stills: { posterFrames, tiles, poster: planned[0]!, tile: plan.stills.storyboard },
        watermark,
      }),
      outputs: [
        ...rungs.map((rung) => rungOutput(rung, grid, chunk.firstSegment, isHasty)),
        ...(hasReferences ? distinctSizes(references.sizes).map(referenceOutput) : []),
        ...(posterFrames.length > 0 ? [stillOutput(POSTER_PAD, POSTER_QUALITY)] : []),
        ...(tiles.length > 0 ? [stillOutput(TILE_PAD, TILE_QUALITY)] : []),
      ],
    },
  };
}

/** What of the source a chunk's run reads. */
export interface ChunkWindow {
  readonly index: VideoFacts['index'];
  /** Seconds on the grid's clock. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** Indices of streams. */
  readonly streams: readonly number[];
}

export function chunkWindow({ facts, grid }: VideoPlan & { readonly grid: Grid }, chunk: Chunk): ChunkWindow {
  const startFrame = chunk.firstSegment * grid.segmentFrames;
  const { zeroFrame } = placeOf(facts.video!, grid, startFrame, facts.seekable);
  return {
    index: facts.index,
    fromSeconds: secondsOf(grid, zeroFrame),
    toSeconds: secondsOf(grid, startFrame + framesOfChunk(grid, chunk)),
    streams: [facts.video!.streamIndex],
  };
}

/** Nothing of the source's metadata, and nothing that tells the time or the encoder's version. */
export const CLEAN_OUTPUT: readonly string[] = ['-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact'];

/**
 * `frag_discont` and no edit list: init segments are byte-identical in all chunks. `temp_file`: a
 * file has its final name only when it is whole.
 */
export function hlsOptions(name: string, segmentSeconds: number, startSegment: number): string[] {
  return [
    '-f', 'hls',
    '-hls_time', segmentSeconds.toFixed(6),
    '-hls_playlist_type', 'vod',
    '-hls_segment_type', 'fmp4',
    '-hls_fmp4_init_filename', INIT_FILE,
    '-hls_flags', 'temp_file+independent_segments',
    '-hls_segment_options', 'movflags=+frag_discont+skip_sidx:use_editlist=0:fflags=+bitexact',
    '-start_number', String(startSegment),
    '-hls_segment_filename', `${name}/seg-%05d.m4s`,
  ]; // prettier-ignore
}

function rungOutput(rung: VideoRung, grid: Grid, startSegment: number, isHasty: boolean): FfmpegFile {
  return {
    file: `${rung.name}/index.m3u8`,
    options: [
      '-map', `[${padOf(rung)}]`,
      ...videoCodecArgs(rung, grid, { isHasty }),
      ...CLEAN_OUTPUT,
      ...hlsOptions(rung.name, grid.segmentFrames / toNumber(grid.fps), startSegment),
    ], // prettier-ignore
  };
}

const distinctSizes = (sizes: readonly Size[]): Size[] => [
  ...new Map(sizes.map((size) => [sizeName(size), size])).values(),
];

const referenceOutput = (size: Size): FfmpegFile => ({
  file: referenceFile(size),
  options: ['-map', `[${referencePad(size)}]`, '-c:v', 'rawvideo', '-fps_mode', 'passthrough', '-f', 'rawvideo'],
});

/** mjpeg's scale, 2 (best) to 31. The poster is encoded again from it. */
const POSTER_QUALITY = 2;
const TILE_QUALITY = 3;

/** One thread: of more, each would hold a frame back until the end of the run. */
const stillOutput = (pad: string, quality: number): FfmpegFile => ({
  file: `${STILLS_DIR}/${pad}-%08d.jpg`,
  options: [
    '-map', `[${pad}]`,
    '-c:v', 'mjpeg', '-q:v', String(quality), '-threads', '1',
    '-fps_mode', 'passthrough',
    ...CLEAN_OUTPUT,
    '-f', 'image2', '-frame_pts', '1', '-atomic_writing', '1',
  ], // prettier-ignore
});
