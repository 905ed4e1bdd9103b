/** One ffmpeg run for a chunk: one decode, all rungs. */
import type { Chunk, Grid, VideoPlan, VideoRung } from '../../contracts/plan.js';
import type { FfmpegCommand, FfmpegFile } from '../ffmpeg-command.js';
import { forcedInput } from './ffmpeg-input.js';
import { filterGraph, padOf, POSTER_PAD } from './filters.js';
import { toNumber } from './frame-rate.js';
import { framesOfSegment } from './plan.js';

export const SOURCE_FILE = 'source';
export const POSTER_FILE = 'poster.png';
export const INIT_FILE = 'init.mp4';

/** File names within the scratch folder, object names within a rendition's folder. */
export const segmentName = (segment: number): string => `seg-${String(segment).padStart(5, '0')}.m4s`;
export const segmentOf = (name: string): number | undefined => {
  const digits = /^seg-(\d{5,})\.m4s$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

export interface ChunkRun {
  readonly command: FfmpegCommand;
  readonly startSegment: number;
  readonly frames: number;
  /** Media that is decoded before the first wanted frame. Seconds. */
  readonly leadSeconds: number;
}

export interface ChunkRunOptions {
  /** First segment to make: later than the chunk's first one when an attempt before left some. */
  readonly startSegment: number;
  readonly poster: boolean;
}

/**
 * The output of rendition `r` lands in folder `r/`: `init.mp4` and `seg-%05d.m4s`, whole files under
 * their final names only. Time stamps start at 0 in every run; `alignFragment` moves them.
 */
export function encodeChunkRun(
  plan: VideoPlan,
  chunk: Chunk,
  rungs: readonly VideoRung[],
  options: ChunkRunOptions,
): ChunkRun {
  const { facts, grid } = plan;
  if (!facts.video || !grid || rungs.length === 0) throw new TypeError('a chunk needs a picture, a grid and a rung');
  const { startSegment } = options;
  const startFrame = startSegment * grid.segmentFrames;
  const segments = Array.from(
    { length: chunk.firstSegment + chunk.segments - startSegment },
    (_, i) => startSegment + i,
  );
  const frames = segments.reduce((sum, segment) => sum + framesOfSegment(grid, segment), 0);
  // One GOP earlier than needed: demuxers seek by decoding time, which runs ahead of presentation.
  const seekFrame = facts.seekable ? Math.max(0, startFrame - grid.gopFrames) : 0;
  const posterFrame = options.poster && chunk.posterFrame !== undefined ? chunk.posterFrame - startFrame : undefined;
  const graph = filterGraph({
    video: facts.video,
    grid,
    rungs,
    frames,
    leadFrames: startFrame - seekFrame,
    posterFrame,
  });
  return {
    startSegment,
    frames,
    leadSeconds: (startFrame - seekFrame) / toNumber(grid.fps),
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
      ],
      filterGraph: graph,
      outputs: [
        ...rungs.map((rung) => rungOutput(rung, grid, startSegment)),
        ...(posterFrame === undefined ? [] : [posterOutput]),
      ],
    },
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

function rungOutput(rung: VideoRung, grid: Grid, startSegment: number): FfmpegFile {
  const { gopFrames, segmentFrames, fps } = grid;
  return {
    file: `${rung.name}/index.m3u8`,
    options: [
      '-map', `[${padOf(rung)}]`,
      '-c:v', 'libx264', '-preset', rung.preset, '-profile:v', 'high', '-level:v', rung.level,
      '-crf', String(rung.crf), '-maxrate', `${rung.maxrateKbps}k`, '-bufsize', `${rung.bufsizeKbps}k`,
      '-g', String(gopFrames), '-keyint_min', String(gopFrames), '-sc_threshold', '0',
      '-force_key_frames', `expr:not(mod(n,${gopFrames}))`, '-flags', '+cgop+bitexact',
      '-pix_fmt', 'yuv420p', '-color_range', 'tv', '-colorspace', 'bt709', '-color_trc', 'bt709', '-color_primaries', 'bt709',
      ...CLEAN_OUTPUT,
      ...hlsOptions(rung.name, segmentFrames / toNumber(fps), startSegment),
    ], // prettier-ignore
  };
}

const posterOutput: FfmpegFile = {
  file: POSTER_FILE,
  options: [
    '-map',
    `[${POSTER_PAD}]`,
    '-c:v',
    'png',
    '-frames:v',
    '1',
    ...CLEAN_OUTPUT,
    '-f',
    'image2',
    '-update',
    '1',
    '-atomic_writing',
    '1',
  ],
};
