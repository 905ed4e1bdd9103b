import { expect, test } from '@jest/globals';
import { createProgressParser, type ProgressBlock } from '../../../src/tools/ffmpeg/progress.js';

const parse = (text: string): ProgressBlock[] => {
  const blocks: ProgressBlock[] = [];
  const take = createProgressParser((block) => blocks.push(block));
  text.split('\n').forEach(take);
  return blocks;
};

test('gives one block per `progress` line', () => {
  const text = [
    ...['frame=0', 'fps=0.00', 'total_size=N/A', 'out_time_us=N/A', 'out_time=N/A', 'speed=N/A', 'progress=continue'],
    ...['frame=48', 'total_size=1024', 'out_time_us=2000000', 'out_time_ms=2000000', 'speed=1.5x', 'progress=continue'],
    ...['frame=60', 'total_size=2048', 'out_time_us=2500000', 'speed= 2x', 'progress=end', ''],
  ].join('\n');
  expect(parse(text)).toEqual([
    { frame: 0, outTime: 0, speed: 0, bytes: 0 },
    { frame: 48, outTime: 2, speed: 1.5, bytes: 1024 },
    { frame: 60, outTime: 2.5, speed: 2, bytes: 2048 },
  ]);
});

test('an audio encode has no frames, and a late stream no negative time', () => {
  expect(parse('out_time_us=-21333\nspeed=0.5x\nprogress=continue')).toEqual([
    { frame: 0, outTime: 0, speed: 0.5, bytes: 0 },
  ]);
});
