import { describe, expect, test } from '@jest/globals';

import type { VideoFacts } from '../../../src/contracts/plan.js';
import { encodeAudioCommand } from '../../../src/media/video/audio-args.js';
import { encodeChunkRun, segmentName, segmentOf } from '../../../src/media/video/encode-args.js';
import { filterGraph } from '../../../src/media/video/filters.js';
import { planVideo } from '../../../src/media/video/plan.js';
import { ffmpegArguments } from '../../../src/tools/ffmpeg/command.js';
import { audio, facts, SETTINGS, video } from './support.js';

const plan = (own: Partial<VideoFacts> = {}, chunkSegments = 0) =>
  planVideo(facts(own), { ...SETTINGS, chunkSegments });

/** One option and its value per line. */
const lines = (args: string[]): string => args.join(' ').replace(/ (?=-[a-z]|\.\/|\[0)/g, '\n');

describe('one run for all rungs of a chunk', () => {
  test('a whole small video with its poster', () => {
    const whole = plan({ video: video({ width: 640, height: 360 }) });
    const { command, frames } = encodeChunkRun(whole, whole.chunks[0]!, whole.rungs, { startSegment: 0, poster: true });
    expect(frames).toBe(500);
    expect(lines(ffmpegArguments(command))).toMatchSnapshot();
  });

  test('a later chunk of an NTSC video: sought one GOP early, moved back onto the grid', () => {
    const later = plan({ video: video({ frameRate: 30_000 / 1001 }) }, 2);
    const [, chunk] = later.chunks;
    const { command, frames } = encodeChunkRun(later, chunk!, later.rungs.slice(1), { startSegment: 3, poster: true });
    expect(frames).toBe(120);
    expect(lines(ffmpegArguments(command))).toMatchSnapshot();
  });

  test('a source that can not be sought is decoded from its start', () => {
    const ts = plan({ container: 'mpegts', seekable: false }, 2);
    const { command } = encodeChunkRun(ts, ts.chunks[1]!, ts.rungs, { startSegment: 2, poster: false });
    expect(command.inputs[0]?.options).not.toContain('-ss');
    expect(command.filterGraph).toContain('setpts=PTS-200/25/TB,');
  });

  test('a chunk without rungs is a mistake', () => {
    expect(() => encodeChunkRun(plan(), plan().chunks[0]!, [], { startSegment: 0, poster: true })).toThrow(TypeError);
  });
});

describe('filters', () => {
  const graph = (own: Parameters<typeof video>[0]): string => {
    const { grid, rungs, facts: source } = plan({ video: video({ width: 640, height: 360, ...own }) });
    return filterGraph({ video: source.video!, grid: grid!, rungs, frames: 10, leadFrames: 0 });
  };

  test('plain', () => {
    expect(graph({ matrix: 'bt709' })).toMatchInlineSnapshot(
      `"[0:0]fps=fps=25/1:start_time=0:round=near,tpad=stop_mode=clone:stop=2,trim=end_frame=10,split=1[sv360p];[sv360p]scale=w=640:h=360:flags=bicubic:out_color_matrix=bt709:out_range=tv,format=yuv420p,setsar=1[v360p]"`,
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
    ['wide gamut', { transfer: 'bt2020-10', primaries: 'bt2020', matrix: 'bt2020nc' }],
  ])('%s comes down to BT.709', (_name, own) => {
    expect(graph(own)).toMatchSnapshot();
  });
});

test('sound: one continuous run', () => {
  const withSound = plan({ audio: [audio({ streamIndex: 3, channels: 6, language: 'eng' })] });
  expect(lines(ffmpegArguments(encodeAudioCommand(withSound, withSound.audio[0]!)))).toMatchSnapshot();
});

test('segment names', () => {
  expect([0, 99_999, 100_000].map(segmentName)).toEqual(['seg-00000.m4s', 'seg-99999.m4s', 'seg-100000.m4s']);
  expect([0, 99_999, 100_000].map((n) => segmentOf(segmentName(n)))).toEqual([0, 99_999, 100_000]);
  expect(['init.mp4', 'seg-1.m4s', 'seg-00001.m4s.tmp', 'x/seg-00001.m4s'].map(segmentOf)).toEqual([undefined, undefined, undefined, undefined]); // prettier-ignore
});
