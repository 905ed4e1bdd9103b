/** How busy a picture is, from samples at a small size; and what that means for the bits of its rungs. */
import { segmentCount, type Chunk, type Grid, type VideoPlan, type VideoRung } from '../../contracts/plan.js';
import { codecsOf } from './codec-names.js';
import { toNumber } from './frame-rate.js';
import { levelOf } from './level.js';

export interface ContentMeasurement {
  /** Bits that a pixel of a frame took in the samples, at constant quality: a talking head 0.01, a film 0.1, noise 1. */
  readonly mean: number;
  /** Of the busiest sample. */
  readonly peak: number;
}

/** Segments that are looked at. */
const SAMPLES = 5;
/** Where a place can only be reached by decoding everything before it: not later than this. */
const MAX_UNSEEKABLE_SEGMENTS = 8;
const PROBE_SHORT_SIDE = 288;
const PROBE_CRF = 23;
/** Quicker ones have no lookahead, and take ten times the bits for a picture with a little noise. */
const PROBE_PRESET = 'veryfast';
/** Never reached: the probe is about what the content asks for. */
const NO_CAP_KBPS = 100_000;

export const PROBE_NAME = 'probe';

/** Spread over the whole video, one segment each. */
export function probeChunks(grid: Grid, seekable: boolean): Chunk[] {
  const all = segmentCount(grid);
  const segments = seekable ? all : Math.min(all, MAX_UNSEEKABLE_SEGMENTS);
  const places = Array.from({ length: SAMPLES }, (_, i) => Math.floor(((i + 0.5) * segments) / SAMPLES));
  return [...new Set(places)].map((firstSegment) => ({ firstSegment, segments: 1 }));
}

/** The plan of the samples: one small, quick rung on the video's own grid. */
export function probePlan({ watermark: _, ...plan }: VideoPlan & { readonly grid: Grid }): VideoPlan {
  const { width, height } = plan.facts.video!;
  const scale = Math.min(1, PROBE_SHORT_SIDE / Math.min(width, height));
  const even = (side: number): number => Math.max(2, 2 * Math.round((side * scale) / 2));
  const size = { width: even(width), height: even(height) };
  const rate = { maxrateKbps: NO_CAP_KBPS, bufsizeKbps: 2 * NO_CAP_KBPS };
  const level = levelOf('h264', { ...size, fps: toNumber(plan.grid.fps), ...rate });
  const rung: VideoRung = {
    ...{ name: PROBE_NAME, ...size, codec: 'h264', crf: PROBE_CRF, ...rate, preset: PROBE_PRESET },
    ...{ level, codecs: codecsOf('h264', level) },
  };
  return { ...plan, rungs: [rung] };
}

/** Below it a picture is quiet: it keeps its looks with a higher CRF, because little changes from frame to frame. */
const QUIET = 0.03;
const QUIET_CRF = 2;
/** Where a cap would bite all the time, a higher CRF spends the same bits more evenly. */
const BUSY_CRF = 3;
/** Caps leave room for scenes that the samples did not show. */
const ROOM = 1.5;
const LEAST_CAP = 0.4;

/** Passed-through rungs stay. Levels stay too: what a decoder must be able to do does not get more. */
export function adaptRungs(
  rungs: readonly VideoRung[],
  { fps }: Pick<Grid, 'fps'>,
  { mean, peak }: ContentMeasurement,
): VideoRung[] {
  return rungs.map((rung) => {
    if (rung.passthrough) return rung;
    /** Of the cap, what the content asks for. */
    const share = (bitsPerPixel: number): number =>
      (bitsPerPixel * rung.width * rung.height * toNumber(fps)) / 1000 / rung.maxrateKbps;
    const maxrateKbps = Math.round(rung.maxrateKbps * Math.min(1, Math.max(LEAST_CAP, share(peak) * ROOM)));
    return { ...rung, crf: rung.crf + crfOffset(mean, share(mean)), maxrateKbps, bufsizeKbps: maxrateKbps * 2 };
  });
}

function crfOffset(mean: number, share: number): number {
  const quiet = Math.min(QUIET_CRF, Math.max(0, Math.log2(QUIET / Math.max(mean, 1e-6))));
  const busy = Math.min(BUSY_CRF, 2 * Math.log2(Math.max(1, share)));
  // Quarters: whoever reads a plan should see a number.
  return Math.round((quiet + busy) * 4) / 4;
}
