import type { Grid, StoryboardPlan } from '../../../src/contracts/plan.js';
import {
  planStills,
  posterFramesIn,
  sheetsOf,
  storyboardVtt,
  tilesIn,
  type StillsOptions,
} from '../../../src/media/video/stills.js';

const HD = { width: 1920, height: 1080 };
const BOARD: StillsOptions = { storyboard: { format: 'jpeg', tileWidth: 160 } };

const grid = (totalFrames: number, num = 25, den = 1): Grid => ({
  fps: { num, den },
  gopFrames: 50,
  segmentFrames: 100,
  totalFrames,
});
const seconds = (n: number): Grid => grid(n * 25);
const board = (on: Grid, picture = HD, tileWidth = 160): StoryboardPlan =>
  planStills(on, picture, { storyboard: { format: 'jpeg', tileWidth } }).storyboard!;

describe('poster candidates', () => {
  it('are spread over the first minute', () => {
    expect(planStills(seconds(600), HD, {}).posterFrames).toEqual([93, 281, 468, 656, 843, 1031, 1218, 1406]);
    expect(planStills(seconds(8), HD, {}).posterFrames).toEqual([12, 37, 62, 87, 112, 137, 162, 187]);
  });

  it.each([1, 2, 3, 5, 9, 30])('are frames of a video of %i frames, not the first where there is another', (total) => {
    const { posterFrames } = planStills(grid(total), HD, {});
    expect(posterFrames.length).toBeGreaterThan(0);
    expect(new Set(posterFrames).size).toBe(posterFrames.length);
    expect(posterFrames).toEqual([...posterFrames].sort((a, b) => a - b));
    for (const frame of posterFrames) {
      expect(frame).toBeLessThan(total);
      expect(frame).toBeGreaterThanOrEqual(Math.min(1, total - 1));
    }
  });

  it('are one frame where a time is named, inside the video', () => {
    expect(planStills(seconds(10), HD, { posterAtSeconds: 3.5 }).posterFrames).toEqual([88]);
    expect(planStills(seconds(10), HD, { posterAtSeconds: 0 }).posterFrames).toEqual([0]);
    expect(planStills(seconds(10), HD, { posterAtSeconds: 99 }).posterFrames).toEqual([249]);
  });

  it('are found for a run of frames', () => {
    const stills = planStills(seconds(8), HD, {});
    expect(posterFramesIn(stills, 0, 100)).toEqual([12, 37, 62, 87]);
    expect(posterFramesIn(stills, 87, 112)).toEqual([87]);
    expect(posterFramesIn(stills, 190, 200)).toEqual([]);
  });
});

describe('storyboard', () => {
  it('is not planned unless it is asked for', () => {
    expect(planStills(seconds(8), HD, {}).storyboard).toBeUndefined();
  });

  it.each([
    [1, 1, 1],
    [119, 1, 119],
    [120, 2, 60],
    [599, 2, 300],
    [600, 5, 120],
    [3599, 5, 720],
    [3600, 10, 360],
    [7200, 10, 720],
    [36_000, 50, 720],
  ])('of %i s has a tile every %i s', (length, interval, tiles) => {
    const plan = board(seconds(length));
    expect(plan.intervalFrames).toBe(interval * 25);
    expect(plan.tiles).toBe(tiles);
  });

  it('counts in whole frames at fractional rates', () => {
    expect(board(grid(30_000, 30_000, 1001)).intervalFrames).toBe(150);
    expect(board(grid(300, 24_000, 1001)).intervalFrames).toBe(24);
  });

  it.each([
    ['wide', { width: 1920, height: 1080 }, 160, 90],
    ['upright', { width: 1080, height: 1920 }, 90, 160],
    ['square', { width: 1080, height: 1080 }, 160, 160],
    ['panorama', { width: 3840, height: 40 }, 160, 2],
    ['smaller than a tile', { width: 64, height: 36 }, 64, 36],
    ['cinema', { width: 1920, height: 804 }, 160, 68],
  ])('keeps the shape of a %s picture, with even sides', (_, picture, tileWidth, tileHeight) => {
    expect(board(seconds(10), picture)).toMatchObject({ tileWidth, tileHeight });
  });

  it('keeps sheets within what WebP holds', () => {
    const plan = board(seconds(3600), { width: 3840, height: 2160 }, 3840);
    expect(plan.columns * plan.tileWidth).toBeLessThanOrEqual(16_383);
    expect(plan.rows * plan.tileHeight).toBeLessThanOrEqual(16_383);
    expect(sheetsOf(plan, 90_000).reduce((sum, { tiles }) => sum + tiles, 0)).toBe(plan.tiles);
  });

  it('lays tiles out in sheets of ten by ten, the last one only as high as it must be', () => {
    const plan = planStills(seconds(119), HD, BOARD).storyboard!;
    expect(sheetsOf(plan, 119 * 25)).toEqual([
      { name: 'sheet-000.jpg', firstTile: 0, tiles: 100, columns: 10, rows: 10 },
      { name: 'sheet-001.jpg', firstTile: 100, tiles: 19, columns: 10, rows: 2 },
    ]);
    expect(sheetsOf(plan, 51)).toEqual([{ name: 'sheet-000.jpg', firstTile: 0, tiles: 3, columns: 10, rows: 1 }]);
    expect(sheetsOf({ ...plan, format: 'webp' }, 25)[0]!.name).toBe('sheet-000.webp');
  });

  it('finds every tile in exactly one run of frames, however the video is cut', () => {
    const plan = board(seconds(200));
    for (const run of [7, 50, 100, 333]) {
      const found: number[] = [];
      for (let from = 0; from < 5000; from += run) {
        const { firstTile, tiles } = tilesIn(plan, from, Math.min(5000, from + run));
        for (let tile = firstTile; tile < firstTile + tiles; tile++) {
          expect(tile * plan.intervalFrames).toBeGreaterThanOrEqual(from);
          expect(tile * plan.intervalFrames).toBeLessThan(from + run);
          found.push(tile);
        }
      }
      expect(found).toEqual(Array.from({ length: plan.tiles }, (_, i) => i));
    }
  });

  it('names the place of every tile in WebVTT', () => {
    const on = grid(125 * 25);
    const plan = board(on);
    const vtt = storyboardVtt(plan, on, 23 * 25 + 10);
    expect(vtt.split('\n').slice(0, 6)).toEqual([
      'WEBVTT',
      '',
      '00:00:00.000 --> 00:00:02.000',
      'sheet-000.jpg#xywh=0,0,160,90',
      '',
      '00:00:02.000 --> 00:00:04.000',
    ]);
    // The source ended early: the last cue ends with it.
    expect(vtt.trimEnd().split('\n').slice(-2)).toEqual([
      '00:00:22.000 --> 00:00:23.400',
      'sheet-000.jpg#xywh=160,90,160,90',
    ]);
    expect(storyboardVtt(plan, on, on.totalFrames)).toContain('00:02:04.000 --> 00:02:05.000');
  });
});
