import { describe, expect, test } from '@jest/globals';

import type { LoopPlan } from '../../../src/contracts/image.js';
import { findLoopFault, loopCommand, secondsOf, shownFor, type LoopReport } from '../../../src/media/image/loop.js';

const loop: LoopPlan = { name: 'loop.mp4', format: 'mp4', width: 320, height: 180 };
const strip = { delays: [40, 40, 40, 200, 0, 10, 70] };

test('frames are shown as long as browsers show them', () => {
  expect(shownFor(strip)).toEqual([40, 40, 40, 200, 100, 100, 70]);
  expect(secondsOf(strip)).toBeCloseTo(0.59);
});

describe('the command', () => {
  test('cuts the strip, sets the time of every frame and the length of the last', () => {
    const { inputs, filterGraph, outputs } = loopCommand(loop, 'source', strip);
    expect(inputs).toEqual([{ file: 'source', options: ['-f', 'png_pipe', '-framerate', '1000/590'] }]);
    expect(filterGraph).toBe(
      '[0:v]untile=1x7,settb=1/1000,setpts=clip(N-0\\,0\\,3)*40+clip(N-3\\,0\\,1)*200+clip(N-4\\,0\\,2)*100,' +
        'scale=out_color_matrix=bt709:out_range=tv,format=yuv420p[v]',
    );
    expect(outputs).toHaveLength(1);
    expect(outputs[0]!.file).toBe('loop.mp4');
    const options = outputs[0]!.options.join(' ');
    expect(options).toContain('-an -fps_mode vfr -enc_time_base 1/1000 -c:v libx264');
    expect(options).toContain('+faststart');
    expect(options).toContain("setts=duration='if(eq(N,6),70,DURATION)'");
  });

  test('is VP9 for WebM', () => {
    const { outputs } = loopCommand({ ...loop, name: 'loop.webm', format: 'webm' }, 'source', strip);
    expect(outputs[0]!.options.join(' ')).toMatch(/-c:v libvpx-vp9 .* -f webm$/);
  });

  test('sums up a time for each of many frames in groups, no deeper than ffmpeg reads', () => {
    const delays = Array.from({ length: 300 }, (_, i) => 20 + (i % 2));
    const expression = loopCommand(loop, 'source', { delays }).filterGraph!;
    const depth = (text: string): number =>
      [...text].reduce(
        ({ now, most }, char) => {
          const next = now + (char === '(' ? 1 : char === ')' ? -1 : 0);
          return { now: next, most: Math.max(most, next) };
        },
        { now: 0, most: 0 },
      ).most;
    expect(expression.match(/clip/g)).toHaveLength(299);
    expect(depth(expression)).toBeLessThan(10);
    for (const group of expression.split(/[()]/)) expect(group.split('+').length).toBeLessThanOrEqual(9);
  });
});

describe('a finished loop', () => {
  const stream = { codec_name: 'h264', pix_fmt: 'yuv420p', width: 320, height: 180, nb_read_packets: '7' };
  const good: LoopReport = { streams: [stream], format: { duration: '0.590000' } };
  const withStream = (over: object): LoopReport => ({ ...good, streams: [{ ...stream, ...over }] });

  test('is as planned', () => {
    expect(findLoopFault(good, loop, strip)).toBeUndefined();
  });

  test.each<[string, LoopReport]>([
    ['0 streams', {}],
    ['2 streams', { ...good, streams: [stream, stream] }],
    ['vp9', withStream({ codec_name: 'vp9' })],
    ['yuv444p', withStream({ pix_fmt: 'yuv444p' })],
    ['320x178', withStream({ height: 178 })],
    ['6 frames', withStream({ nb_read_packets: '6' })],
    ['0.5 s', { ...good, format: { duration: '0.5' } }],
    ['NaN s', { streams: [stream] }],
  ])('is refused for %s', (problem, report) => {
    expect(findLoopFault(report, loop, strip)).toContain(problem);
  });
});
