import { describe, expect, test } from '@jest/globals';

import type { Profile } from '../../../src/contracts/profile.js';
import type { VideoFacts } from '../../../src/contracts/plan.js';
import { stillsOf } from '../../../src/media/video/chunk-result.js';
import { chunkWindow, encodeChunkRun, stillOf } from '../../../src/media/video/encode-args.js';
import { filterGraph } from '../../../src/media/video/filters.js';
import { planVideo } from '../../../src/media/video/plan.js';
import { framesOfSamples, samplesOf } from '../../../src/media/video/quality.js';
import { ffmpegArguments } from '../../../src/tools/ffmpeg/command.js';
import { facts, profile, video } from './support.js';

const plan = (own: Partial<VideoFacts> = {}, settings: Partial<Profile> = {}) => {
  const planned = planVideo(facts(own), profile(settings));
  return { ...planned, grid: planned.grid! };
};
const MARK = { file: 'logo.png', corner: 'bottom-right', width: 0.1, margin: 0.02, opacity: 0.5 } as const;

/** One option and its value per line. */
const lines = (args: string[]): string => args.join(' ').replace(/ (?=-[a-z]|\.\/|\[0)|;(?=\[)/g, '\n');

describe('one run for all rungs of a chunk', () => {
  test('a whole small video with its stills and samples', () => {
    const whole = plan({ video: video({ width: 640, height: 360 }) });
    const chunk = { firstSegment: 0, segments: 5 };
    const stills = stillsOf(whole.stills, whole.grid, chunk);
    const references = { sizes: whole.rungs, frames: framesOfSamples(whole.grid, samplesOf(whole.grid, chunk)) };
    const { command, frames, folders } = encodeChunkRun(whole, chunk, { rungs: whole.rungs, stills, references });
    expect(frames).toBe(500);
    expect(folders).toEqual([...whole.rungs.map(({ name }) => name), 'reference', 'stills']);
    expect(lines(ffmpegArguments(command))).toMatchSnapshot();
  });

  test('the rest of a later chunk of an NTSC video: sought one GOP early, moved back onto the grid', () => {
    const later = plan({ video: video({ frameRate: 30_000 / 1001 }) });
    const run = encodeChunkRun(later, { firstSegment: 3, segments: 1 }, { rungs: later.rungs.slice(1) });
    expect(run.frames).toBe(120);
    expect(run.leadSeconds).toBeCloseTo(2.002, 6);
    expect(lines(ffmpegArguments(run.command))).toMatchSnapshot();
  });

  test('rungs of one size share one scaling; one that is only compared costs no encoder', () => {
    const { rungs: all, ...rest } = plan();
    const [top, next] = all;
    const twin = { ...top!, name: '720p-hevc', codec: 'hevc' as const };
    const references = { sizes: [top!, next!], frames: [0] };
    const { command } = encodeChunkRun({ ...rest, rungs: all }, { firstSegment: 0, segments: 1 }, { rungs: [top!, twin], references }); // prettier-ignore
    expect(lines([command.filterGraph!])).toMatchSnapshot();
    expect(command.outputs.map(({ file }) => file)).toEqual([
      '720p/index.m3u8',
      '720p-hevc/index.m3u8',
      'reference/1280x720.yuv',
      `reference/${next!.width}x${next!.height}.yuv`,
    ]);
  });

  test('a watermark lies over every rung and the poster, sized by each, and not over tiles', () => {
    const marked = plan({ video: video({ width: 640, height: 360 }) }, { watermark: MARK });
    const stills = { posterFrames: [31], tiles: [1, 2] };
    const { command } = encodeChunkRun(marked, { firstSegment: 0, segments: 1 }, { rungs: marked.rungs, stills });
    expect(command.inputs.map(({ file }) => file)).toEqual(['source', 'watermark.png']);
    expect(lines([command.filterGraph!])).toMatchSnapshot();
  });

  test('a source that can not be sought is decoded from its start', () => {
    const ts = plan({ container: 'mpegts', seekable: false });
    const { command } = encodeChunkRun(ts, { firstSegment: 2, segments: 1 }, { rungs: ts.rungs });
    expect(command.inputs[0]?.options).not.toContain('-ss');
    expect(command.filterGraph).toContain('setpts=PTS-200/25/TB,');
  });

  test('where the sound goes on, the last frame is held: no longer than that, and from near the end of the picture', () => {
    const held = plan({ duration: 20, video: video({ duration: 9.5, heldUntil: 20, frameRate: 25 }) });
    expect(held.grid.totalFrames).toBe(500);
    const run = (firstSegment: number) => {
      const chunk = { firstSegment, segments: 1 };
      const { command, leadSeconds } = encodeChunkRun(held, chunk, { rungs: held.rungs.slice(-1) });
      const [shared] = command.filterGraph!.split(',split=');
      return [command.inputs[0]!.options.join(' ').match(/-ss (\S+)/)?.[1], leadSeconds, shared, chunkWindow(held, chunk).fromSeconds]; // prettier-ignore
    };
    const [onTime, hold] = ['fps=fps=25/1:start_time=0:round=near', 'tpad=stop_mode=clone:stop='];
    expect(run(1)).toEqual(['2.000000', 2, `[0:0]setpts=PTS-50/25/TB,${onTime},${hold}2,trim=end_frame=100`, 4]);
    expect(run(2)).toEqual(['6.000000', 2, `[0:0]setpts=PTS-50/25/TB,${onTime},${hold}64,trim=end_frame=100`, 8]);
    expect(run(4)).toEqual([
      '5.520000',
      10.48,
      `[0:0]setpts=PTS-50/25/TB,${onTime},${hold}264,trim=start_frame=212:end_frame=312,setpts=PTS-STARTPTS`,
      7.52,
    ]);
  });

  test('a chunk without rungs, or behind the end, is a mistake', () => {
    const whole = plan();
    expect(() => encodeChunkRun(whole, { firstSegment: 0, segments: 1 }, { rungs: [] })).toThrow(TypeError);
    expect(() => encodeChunkRun(whole, { firstSegment: 5, segments: 1 }, { rungs: whole.rungs })).toThrow(TypeError);
  });
});

test('a still says what it is by its name', () => {
  expect(stillOf('poster-00000120.jpg')).toEqual({ kind: 'poster', number: 120 });
  expect(stillOf('tile-00000007.jpg')).toEqual({ kind: 'tile', number: 7 });
  expect(['tile-1.jpg.tmp', 'tile-.jpg', 'other-1.jpg', '../tile-1.jpg'].map(stillOf)).toEqual([undefined, undefined, undefined, undefined]); // prettier-ignore
});

describe('filters', () => {
  const graph = (own: Parameters<typeof video>[0]): string => {
    const { grid, rungs, facts: source } = plan({ video: video({ width: 640, height: 360, ...own }) });
    return filterGraph({
      video: source.video!,
      grid,
      rungs: rungs.slice(0, 1),
      startFrame: 0,
      frames: 10,
      place: { seekFrame: 0, zeroFrame: 0 },
    });
  };

  test('plain', () => {
    expect(graph({ matrix: 'bt709' })).toMatchInlineSnapshot(
      `"[0:0]fps=fps=25/1:start_time=0:round=near,tpad=stop_mode=clone:stop=2,trim=end_frame=10,split=1[s640x360];[s640x360]scale=w=640:h=360:flags=bicubic:out_color_matrix=bt709:out_range=tv,format=yuv420p,setsar=1[v360p]"`,
    );
  });
  test('interlaced', () => {
    expect(graph({ interlaced: true })).toMatch(/^\[0:0\]yadif,fps=/);
  });
  test('a slow source holds its last frame', () => {
    expect(graph({ frameRate: 1 })).toContain('fps=24/1:start_time=0:round=near,tpad=stop_mode=clone:stop=25,');
  });
  test('an untagged HD picture is BT.709, an untagged small one BT.601', () => {
    expect(graph({ width: 1280, height: 720 })).toContain('in_color_matrix=bt709');
    expect(graph({ width: 640, height: 360 })).not.toContain('in_color_matrix');
  });
  test.each([
    ['PQ', { transfer: 'smpte2084', primaries: 'bt2020', matrix: 'bt2020nc' }],
    ['HLG', { transfer: 'arib-std-b67', primaries: 'bt2020', matrix: 'bt2020nc' }],
    ['the gamut of cinema', { primaries: 'smpte432', transfer: 'bt709', matrix: 'bt709' }],
    ['RGB of a wide gamut', { primaries: 'smpte432', pixelFormat: 'gbrp' }],
    ['wide gamut', { transfer: 'bt2020-10', primaries: 'bt2020', matrix: 'bt2020nc' }],
  ])('%s comes down to BT.709', (_name, own) => {
    expect(graph(own)).toMatchSnapshot();
  });
});
