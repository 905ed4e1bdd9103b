/** Encoder options of a rung: every codec keeps to the same grid, and says the same of itself in every chunk. */
import type { Grid, VideoCodec, VideoRung } from '../../contracts/plan.js';
import { BUFFERED_FRAMES } from './level.js';

/** 8-bit 4:2:0 in BT.709, which the filter graph makes. */
const PICTURE = [
  '-pix_fmt', 'yuv420p',
  '-color_range', 'tv', '-colorspace', 'bt709', '-color_trc', 'bt709', '-color_primaries', 'bt709',
]; // prettier-ignore

/** x264 presets that would keep more frames than the rung's level allows. */
const GREEDY_PRESETS = new Set(['slow', 'slower', 'veryslow', 'placebo']);

/**
 * `-c:v` and all that belongs to it. An IDR frame every `gopFrames` frames from the first one of the run
 * on, none elsewhere, closed GOPs; no trace of the encoder's version. What only the bit rate control
 * needs (CRF, caps) is not written into the parameter sets: init segments are the same whatever it is.
 */
export function videoCodecArgs(rung: VideoRung, grid: Pick<Grid, 'gopFrames'>, how: HowToEncode = {}): string[] {
  return [...ENCODERS[rung.codec](rung, grid.gopFrames, how), ...PICTURE];
}

export interface HowToEncode {
  /** Of this encoder; absent: its own choice. */
  readonly threads?: number | undefined;
  /** As fast as it can without another init segment: of x264 alone, the others say more of their ways in it. */
  readonly isHasty?: boolean | undefined;
}

type Encoder = (rung: VideoRung, gop: number, how: HowToEncode) => string[];

const ENCODERS: Record<VideoCodec, Encoder> = {
  h264: (rung, gop, { threads, isHasty = false }) => [
    '-c:v', 'libx264', '-preset', rung.preset, '-profile:v', 'high', '-level:v', rung.level,
    '-crf', String(rung.crf), ...caps(rung),
    ...(GREEDY_PRESETS.has(rung.preset) ? ['-refs', String(BUFFERED_FRAMES)] : []),
    // Without 8x8 transforms (preset `ultrafast`) it would call itself Baseline. `stitchable`: no part of
    // the parameter sets is optimised for this one run.
    '-x264-params', ['8x8dct=1', 'stitchable=1', `sps-id=${parameterSetId(rung)}`, ...(isHasty ? hasty(rung) : [])].join(':'),
    ...threadsOf(threads), ...forcedGrid(gop), '-sc_threshold', '0',
    '-flags', '+cgop+bitexact',
  ],
  hevc: (rung, gop, { threads }) => [
    '-c:v', 'libx265', '-preset', rung.preset, '-profile:v', 'main', '-tag:v', 'hvc1',
    '-crf', String(rung.crf), ...caps(rung), ...forcedGrid(gop),
    '-flags', '+bitexact',
    '-x265-params', [
      `level-idc=${rung.level}`, 'high-tier=0', `keyint=${gop}`, `min-keyint=${gop}`, 'open-gop=0', 'scenecut=0',
      'info=0', 'repeat-headers=0', 'log-level=warning',
      `vbv-maxrate=${rung.maxrateKbps}`, `vbv-bufsize=${rung.bufsizeKbps}`,
      ...(threads === undefined ? [] : [`pools=${threads}`]),
    ].join(':'),
  ],
  av1: (rung, gop, { threads }) => [
    '-c:v', 'libsvtav1', '-preset', rung.preset, '-crf', String(rung.crf),
    '-g', String(gop), '-flags', '+bitexact',
    '-svtav1-params', [
      // 2: every key frame is one that a decoder can start at.
      'irefresh-type=2', 'scd=0', `level=${rung.level.replace('.', '')}`, `mbr=${rung.maxrateKbps}`,
      ...(threads === undefined ? [] : [`lp=${threads}`]),
    ].join(':'),
  ],
  vp9: (rung, gop, { threads }) => [
    '-c:v', 'libvpx-vp9', '-profile:v', '0', '-deadline', 'good', '-cpu-used', rung.preset, '-row-mt', '1',
    // With a bit rate, CRF is a floor below it: constrained quality.
    '-crf', String(rung.crf), '-b:v', `${rung.maxrateKbps}k`, ...caps(rung),
    ...forcedGrid(gop), ...threadsOf(threads), '-flags', '+bitexact',
  ],
}; // prettier-ignore

/** x264 presets that optimise for the eye, and then take chroma more seriously, as the picture parameter set says. */
const PSYCHIC_PRESETS = new Set(['fast', 'medium', 'slow', 'slower', 'veryslow', 'placebo']);

/**
 * Less analysis. Frames that are kept, B-frames, weighted prediction and entropy coding stay as the preset has them:
 * the parameter sets tell of them. So they do of the offset for chroma, which would go with the fine search.
 */
const hasty = ({ preset }: VideoRung): string[] => [
  ...['me=dia', 'subme=1', 'trellis=0', 'partitions=none', 'mixed-refs=0', 'b-adapt=0', 'mbtree=0', 'rc-lookahead=0'],
  ...(PSYCHIC_PRESETS.has(preset) ? ['chroma-qp-offset=-2'] : []),
];

/** 1-31. Every slice names it: a segment that got into another rung's folder is found out. */
const parameterSetId = ({ width, height }: VideoRung): number => (Math.min(width, height) % 31) + 1;

const caps = ({ maxrateKbps, bufsizeKbps }: VideoRung): string[] => [
  '-maxrate', `${maxrateKbps}k`, '-bufsize', `${bufsizeKbps}k`,
]; // prettier-ignore

const threadsOf = (threads: number | undefined): string[] =>
  threads === undefined ? [] : ['-threads', String(threads)];

const forcedGrid = (gop: number): string[] => [
  '-g', String(gop), '-keyint_min', String(gop),
  '-force_key_frames', `expr:not(mod(n,${gop}))`,
]; // prettier-ignore
