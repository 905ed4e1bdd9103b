/** The filter graph of a chunk: from whatever was decoded to BT.709 4:2:0 pictures on the grid, once per size. */
import type { Grid, StoryboardPlan, VideoFacts, VideoRung, WatermarkPlan } from '../../contracts/plan.js';
import type { ChunkStills } from './chunk-result.js';
import { toNumber } from './frame-rate.js';

type VideoStream = NonNullable<VideoFacts['video']>;

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface GraphInput {
  readonly video: VideoStream;
  readonly grid: Grid;
  /** Rungs to encode. */
  readonly rungs: readonly VideoRung[];
  /** First frame of the run, on the grid. */
  readonly startFrame: number;
  /** Frames to make. */
  readonly frames: number;
  /** Where the input was sought to, and where its clock begins. */
  readonly place: Place;
  /** Pictures as the encoder got them, for the result to be compared with. Grid frames; at least one. */
  readonly references?: { readonly sizes: readonly Size[]; readonly frames: readonly number[] } | undefined;
  readonly stills?: (ChunkStills & { readonly poster: Size; readonly tile?: StoryboardPlan | undefined }) | undefined;
  /** Input 1 holds the picture. */
  readonly watermark?: WatermarkPlan | undefined;
}

/** Where a run begins to decode. Frames on the grid. */
export interface Place {
  readonly seekFrame: number;
  /** The first frame wanted; behind the end of the picture, one near that: it takes a frame to hold. */
  readonly zeroFrame: number;
}

/** An output that carries the watermark. */
interface Marked {
  readonly name: string;
  readonly size: Size;
}

/** A picture that leaves the graph. */
interface Branch {
  readonly from: string;
  readonly filters: string;
}

export const POSTER_PAD = 'poster';
export const TILE_PAD = 'tile';
export const padOf = (rung: Pick<VideoRung, 'name'>): string => `v${rung.name}`;
export const sizeName = ({ width, height }: Size): string => `${width}x${height}`;
export const referencePad = (size: Size): string => `r${sizeName(size)}`;

/** Rotation needs no filter of ours: ffmpeg turns and flips by the display matrix before the graph. */
export function filterGraph(input: GraphInput): string {
  const { video, stills, watermark } = input;
  const sizes = distinct([...input.rungs, ...(input.references?.sizes ?? [])]);
  const hasPoster = stills !== undefined && stills.posterFrames.length > 0;
  const marked = [
    ...sizes.map((size) => ({ name: sizeName(size), size })),
    ...(hasPoster ? [{ name: POSTER_PAD, size: stills.poster }] : []),
  ];
  const branches = [
    ...sizes.map((size) => pictureOf(size, input)),
    ...(hasPoster ? [posterOf(stills.poster, stills.posterFrames, input)] : []),
    ...(stills?.tile && stills.tiles.length > 0 ? [tilesOf(stills.tile, input)] : []),
  ];
  // A run for stills alone has no size of its own.
  const largest = [...sizes].sort((a, b) => b.width - a.width)[0] ?? stills!.poster;
  const shared = [...(video.interlaced ? ['yadif'] : []), ...onGrid(input), ...toSdr(video, largest)];
  const split = `split=${branches.length}${branches.map(({ from }) => `[${from}]`).join('')}`;
  return [
    `[0:${video.streamIndex}]${[...shared, split].join(',')}`,
    ...(watermark ? [logos(watermark, marked)] : []),
    ...branches.map(({ from, filters }) => `[${from}]${filters}`),
  ].join(';');
}

/** All encoders of one size, and its references, share one scaling. */
function pictureOf(size: Size, { video, rungs, startFrame, references, watermark }: GraphInput): Branch {
  const name = sizeName(size);
  const outputs = rungs.filter((rung) => sizeName(rung) === name).map((rung) => `[${padOf(rung)}]`);
  const wanted = references?.sizes.some((reference) => sizeName(reference) === name) ? references.frames : undefined;
  const picture = `${scaled(video, size)},${mark(watermark, { name, size })}format=yuv420p,setsar=1`;
  const selected = wanted && select(wanted.map((frame) => frame - startFrame));
  const from = `s${name}`;
  if (outputs.length === 0) return { from, filters: `${selected},${picture}[${referencePad(size)}]` };
  if (!selected && outputs.length === 1) return { from, filters: `${picture}${outputs[0]}` };
  const pads = [...outputs, ...(selected ? [`[a${name}]`] : [])];
  const split = `${picture},split=${pads.length}${pads.join('')}`;
  return { from, filters: selected ? `${split};[a${name}]${selected}[${referencePad(size)}]` : split };
}

/** Time stamps become the grid frame: the muxer makes names of them. */
function posterOf(size: Size, frames: readonly number[], { video, startFrame, watermark }: GraphInput): Branch {
  const chosen = select(frames.map((frame) => frame - startFrame));
  const filters = `${chosen},setpts=PTS+${startFrame},${asJpeg(video, size, mark(watermark, { name: POSTER_PAD, size }))}[${POSTER_PAD}]`;
  return { from: `s${POSTER_PAD}`, filters };
}

/** Time stamps become the number of the tile. */
function tilesOf({ intervalFrames, tileWidth, tileHeight }: StoryboardPlan, { video, startFrame }: GraphInput): Branch {
  const chosen = `select=not(mod(n+${startFrame}\\,${intervalFrames})),setpts=(PTS+${startFrame})/${intervalFrames}`;
  const filters = `${chosen},${asJpeg(video, { width: tileWidth, height: tileHeight }, '')}[${TILE_PAD}]`;
  return { from: `s${TILE_PAD}`, filters };
}

const select = (frames: readonly number[]): string => `select=${frames.map((frame) => `eq(n\\,${frame})`).join('+')}`;

function distinct(sizes: readonly Size[]): Size[] {
  return [...new Map(sizes.map(({ width, height }) => [sizeName({ width, height }), { width, height }])).values()];
}

/**
 * The constant rate, exactly on the global grid wherever the run starts: frame 0 of the run is at
 * time 0, what lies before is dropped, a hold of the last frame is filled up. No more than that: frames
 * that could not be decoded must be missed.
 */
function onGrid({ video, grid, startFrame, frames, place: { seekFrame, zeroFrame } }: GraphInput): string[] {
  const { num, den } = grid.fps;
  const leadFrames = zeroFrame - seekFrame;
  const skipped = startFrame - zeroFrame;
  const held = Math.max(0, startFrame + frames - Math.max(zeroFrame, pictureFrames(video, grid)));
  const hold = Math.max(2, Math.ceil(toNumber(grid.fps) / video.frameRate) + 1) + held;
  return [
    ...(leadFrames > 0 ? [`setpts=PTS-${leadFrames * den}/${num}/TB`] : []),
    `fps=fps=${num}/${den}:start_time=0:round=near`,
    `tpad=stop_mode=clone:stop=${hold}`,
    ...(skipped > 0
      ? [`trim=start_frame=${skipped}:end_frame=${skipped + frames}`, 'setpts=PTS-STARTPTS']
      : [`trim=end_frame=${frames}`]),
  ];
}

/** Frames on the grid that the source has a picture for. */
function pictureFrames({ duration, heldUntil }: VideoStream, { fps, totalFrames }: Grid): number {
  if (heldUntil === undefined) return totalFrames;
  return Math.min(totalFrames, Math.max(1, Math.round(duration * toNumber(fps))));
}

/** @param startFrame first frame wanted */
export function placeOf(video: VideoStream, grid: Grid, startFrame: number, seekable: boolean): Place {
  const end = pictureFrames(video, grid);
  // A GOP before its end: the last frames may be further apart than they seem.
  const zeroFrame = startFrame < end ? startFrame : Math.max(0, end - grid.gopFrames);
  // One GOP earlier than needed: demuxers seek by decoding time, which runs ahead of presentation.
  return { zeroFrame, seekFrame: seekable ? Math.max(0, zeroFrame - grid.gopFrames) : 0 };
}

const HDR_TRANSFERS = new Set(['smpte2084', 'arib-std-b67']);
export const isHdr = (video: VideoStream): boolean => HDR_TRANSFERS.has(video.transfer ?? '');
/** P3 is what cinema masters and Apple's cameras use. */
const WIDE_PRIMARIES = new Set(['bt2020', 'smpte431', 'smpte432']);
const isWideGamut = (video: VideoStream): boolean =>
  WIDE_PRIMARIES.has(video.primaries ?? '') || (video.matrix ?? '').startsWith('bt2020');
const becomesSdr = (video: VideoStream): boolean => isHdr(video) || isWideGamut(video);

/** The library refuses to take RGB for anything else. */
const RGB = /^(gbr|[a0x]?rgb|[a0x]?bgr|pal8)/;

const matrixOf = ({ matrix, pixelFormat }: VideoStream): string => {
  if (RGB.test(pixelFormat)) return 'gbr';
  if (matrix?.startsWith('bt2020')) return '2020_ncl';
  return matrix === 'smpte170m' || matrix === 'bt470bg' ? '170m' : '709';
};

/** HDR and wide gamut: down to the largest size first, because linear light in floats is dear. */
function toSdr(video: VideoStream, largest: Size): string[] {
  if (!becomesSdr(video)) return [];
  const from = [
    `tin=${isHdr(video) ? video.transfer : '2020_10'}`,
    `pin=${video.primaries ?? 'bt2020'}`,
    `min=${matrixOf(video)}`,
  ];
  const size = `w=${largest.width}:h=${largest.height}`;
  const to = 'p=bt709:t=bt709:m=bt709:r=tv';
  if (!isHdr(video)) return [`zscale=${[size, ...from, to].join(':')}`];
  return [
    `zscale=${[size, ...from, 't=linear', 'npl=100'].join(':')}`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=hable:desat=0',
    `zscale=${to}`,
  ];
}

/** swscale takes an untagged picture for BT.601; HD pictures without a tag are BT.709 as good as always. */
function scaleOf(video: VideoStream, { width, height }: Size, to: readonly string[]): string {
  const untaggedHd = !video.matrix && !becomesSdr(video) && Math.min(video.width, video.height) >= 720;
  const from = untaggedHd ? ['in_color_matrix=bt709'] : [];
  return `scale=${[`w=${width}`, `h=${height}`, 'flags=bicubic', ...from, ...to].join(':')}`;
}

const scaled = (video: VideoStream, size: Size): string =>
  scaleOf(video, size, ['out_color_matrix=bt709', 'out_range=tv']);

/** JFIF: BT.601, all values. */
function asJpeg(video: VideoStream, size: Size, marked: string): string {
  if (marked === '') return `${scaleOf(video, size, ['out_color_matrix=bt601', 'out_range=pc'])},format=yuvj420p`;
  const convert = 'scale=in_color_matrix=bt709:out_color_matrix=bt601:out_range=pc';
  return `${scaled(video, size)},${marked}${convert},format=yuvj420p`;
}

/** One small picture for every output that carries it; the overlay repeats its only frame. */
function logos({ width, opacity }: WatermarkPlan, outputs: readonly Marked[]): string {
  const split = `split=${outputs.length}${outputs.map(({ name }) => `[w${name}]`).join('')}`;
  return [
    `[1:v]format=rgba,colorchannelmixer=aa=${opacity},${split}`,
    ...outputs.map(({ name, size }) => `[w${name}]scale=w=${even(size.width * width)}:h=-2[l${name}]`),
  ].join(';');
}

const even = (pixels: number): number => Math.max(2, Math.round(pixels / 2) * 2);

/** After scaling: only there are pixels square and sizes known. Touches only the pixels below it. */
function mark(watermark: WatermarkPlan | undefined, { name, size }: Marked): string {
  if (!watermark) return '';
  const margin = even(size.width * watermark.margin + 1) - 2;
  const x = watermark.corner.endsWith('left') ? margin : `W-w-${margin}`;
  const y = watermark.corner.startsWith('top') ? margin : `H-h-${margin}`;
  return `format=yuv420p[m${name}];[m${name}][l${name}]overlay=x=${x}:y=${y}:format=yuv420,`;
}
