/** Which single frames become the poster and the storyboard, and how the storyboard's sheets are laid out. */
import { secondsOf, type Grid, type StillsPlan, type StoryboardPlan } from '../../contracts/plan.js';
import { toNumber } from './frame-rate.js';

export interface StillsOptions {
  /** Absent: chosen from several candidates by their looks. */
  readonly posterAtSeconds?: number | undefined;
  /** Absent: none is made. */
  readonly storyboard?: { readonly format: 'jpeg' | 'webp'; readonly tileWidth: number } | undefined;
}

/** Of the storyboard's file: a JPEG or WebP of tiles, row by row. */
export interface Sheet {
  /** `sheet-000.jpg` */
  readonly name: string;
  readonly firstTile: number;
  readonly tiles: number;
  /** Tiles side by side; the last sheet has only as many rows as it needs. */
  readonly columns: number;
  readonly rows: number;
}

const POSTER_CANDIDATES = 8;
/** What comes later may give away the plot, and would make the poster wait for more of the video. Seconds. */
const POSTER_WINDOW = 60;

/** Seconds from tile to tile for videos shorter than so many seconds. */
const INTERVALS = [
  { below: 120, interval: 1 },
  { below: 600, interval: 2 },
  { below: 3600, interval: 5 },
] as const;
const LONGEST_INTERVAL_STEP = 10;
/** A player holds all sheets that it has shown: some 8 of 100 tiles. */
const MAX_TILES = 720;

const TILES_PER_SIDE = 10;
/** What WebP can hold on a side; JPEG holds more. Pixels. */
const MAX_SHEET_SIDE = 16_383;

/** @param picture size of the top rung: tiles are never larger */
export function planStills(
  grid: Grid,
  picture: { readonly width: number; readonly height: number },
  options: StillsOptions,
): StillsPlan {
  const { posterAtSeconds, storyboard } = options;
  return {
    posterFrames: posterAtSeconds === undefined ? candidates(grid) : [frameAt(grid, posterAtSeconds)],
    storyboard: storyboard && planStoryboard(grid, picture, storyboard),
  };
}

/** From the middles of equal stretches: never the very first frame, which is often black, where there is another. */
function candidates(grid: Grid): number[] {
  const window = Math.min(grid.totalFrames, Math.floor(POSTER_WINDOW * toNumber(grid.fps)));
  const stretch = window / POSTER_CANDIDATES;
  const middles = Array.from({ length: POSTER_CANDIDATES }, (_, i) => Math.floor((i + 0.5) * stretch));
  const last = grid.totalFrames - 1;
  return [...new Set(middles.map((frame) => Math.min(Math.max(frame, 1), last)))];
}

const frameAt = (grid: Grid, seconds: number): number =>
  Math.min(Math.max(0, Math.round(seconds * toNumber(grid.fps))), grid.totalFrames - 1);

function planStoryboard(
  grid: Grid,
  picture: { readonly width: number; readonly height: number },
  { format, tileWidth }: { readonly format: 'jpeg' | 'webp'; readonly tileWidth: number },
): StoryboardPlan {
  const intervalFrames = Math.max(1, Math.round(interval(secondsOf(grid, grid.totalFrames)) * toNumber(grid.fps)));
  const tiles = Math.ceil(grid.totalFrames / intervalFrames);
  const tile = tileSize(picture, tileWidth);
  const columns = Math.min(TILES_PER_SIDE, tiles, perSide(tile.tileWidth));
  const rows = Math.min(TILES_PER_SIDE, Math.ceil(tiles / columns), perSide(tile.tileHeight));
  return { intervalFrames, tiles, ...tile, columns, rows, format };
}

function interval(seconds: number): number {
  const step = INTERVALS.find(({ below }) => seconds < below)?.interval;
  return step ?? Math.max(LONGEST_INTERVAL_STEP, Math.ceil(seconds / MAX_TILES));
}

/** Fits into a square, so that an upright video's tiles are not four times as large as another's. */
function tileSize(
  { width, height }: { readonly width: number; readonly height: number },
  side: number,
): Pick<StoryboardPlan, 'tileWidth' | 'tileHeight'> {
  const scale = Math.min(1, side / Math.max(width, height));
  return { tileWidth: even(width * scale), tileHeight: even(height * scale) };
}

/** 4:2:0 has no odd sides. */
const even = (pixels: number): number => Math.max(2, Math.round(pixels / 2) * 2);

const perSide = (pixels: number): number => Math.max(1, Math.floor(MAX_SHEET_SIDE / pixels));

/** The poster candidates of a run of grid frames, `to` not included. */
export const posterFramesIn = ({ posterFrames }: StillsPlan, from: number, to: number): number[] =>
  posterFrames.filter((frame) => frame >= from && frame < to);

/** The tiles of a run of grid frames, `to` not included. Tile `i` is frame `i * intervalFrames`. */
export function tilesIn(
  { intervalFrames, tiles }: StoryboardPlan,
  from: number,
  to: number,
): { readonly firstTile: number; readonly tiles: number } {
  const firstTile = Math.ceil(from / intervalFrames);
  const end = Math.min(tiles, Math.ceil(to / intervalFrames));
  return { firstTile, tiles: Math.max(0, end - firstTile) };
}

/** @param frames that the video really has: fewer than planned where the source ended early */
export function sheetsOf(plan: StoryboardPlan, frames: number): Sheet[] {
  const { tiles } = tilesIn(plan, 0, frames);
  const each = plan.columns * plan.rows;
  const extension = plan.format === 'jpeg' ? 'jpg' : 'webp';
  return Array.from({ length: Math.ceil(tiles / each) }, (_, i) => {
    const here = Math.min(each, tiles - i * each);
    return {
      name: `sheet-${String(i).padStart(3, '0')}.${extension}`,
      firstTile: i * each,
      tiles: here,
      columns: plan.columns,
      rows: Math.ceil(here / plan.columns),
    };
  });
}

/** WebVTT whose cues name the part of a sheet that shows their stretch of time (Media Fragments, `#xywh=`). */
export function storyboardVtt(plan: StoryboardPlan, grid: Grid, frames: number): string {
  const cues = sheetsOf(plan, frames).flatMap(({ name, firstTile, tiles }) =>
    Array.from({ length: tiles }, (_, i) => {
      const start = (firstTile + i) * plan.intervalFrames;
      const end = Math.min(start + plan.intervalFrames, frames);
      const x = (i % plan.columns) * plan.tileWidth;
      const y = Math.floor(i / plan.columns) * plan.tileHeight;
      return (
        `${timestamp(secondsOf(grid, start))} --> ${timestamp(secondsOf(grid, end))}\n` +
        `${name}#xywh=${x},${y},${plan.tileWidth},${plan.tileHeight}\n`
      );
    }),
  );
  return ['WEBVTT\n', ...cues].join('\n');
}

/** `HH:MM:SS.mmm` */
function timestamp(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(ms / 3_600_000);
  return `${two(hours)}:${two(Math.floor(ms / 60_000) % 60)}:${two(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, '0')}`;
}
