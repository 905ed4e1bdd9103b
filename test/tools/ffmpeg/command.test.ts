import { describe, expect, test } from '@jest/globals';
import { ffmpegArguments } from '../../../src/tools/ffmpeg/command.js';

describe('ffmpegArguments', () => {
  test('puts inputs, graph and outputs in order', () => {
    const args = ffmpegArguments({
      inputs: [
        { file: 'source', options: ['-ss', '4', '-t', '12'] },
        { file: './logo.png', options: [] },
      ],
      filterGraph: '[0:v]split=2[a][b];[a]scale=1280:720[hd];[b]scale=640:360[sd]',
      outputs: [
        { file: 'v/720p/%05d.m4s', options: ['-map', '[hd]', '-c:v', 'libx264', '-f', 'hls'] },
        { file: 'v/360p.mp4', options: ['-map', '[sd]', '-an'] },
      ],
    });
    expect(args).toEqual([
      ...['-ss', '4', '-t', '12', '-i', './source', '-i', './logo.png', '-y'],
      ...['-filter_complex', '[0:v]split=2[a][b];[a]scale=1280:720[hd];[b]scale=640:360[sd]'],
      ...['-map', '[hd]', '-c:v', 'libx264', '-f', 'hls', './v/720p/%05d.m4s'],
      ...['-map', '[sd]', '-an', './v/360p.mp4'],
    ]);
  });

  test('keeps an option of two words whole', () => {
    const outputs = [{ file: 'out.mp4', options: ['-metadata', 'title=Hello World'] }];
    expect(ffmpegArguments({ inputs: [], outputs })).toEqual(['-y', '-metadata', 'title=Hello World', './out.mp4']);
  });

  test('leaves sources and the null output as they are', () => {
    const args = ffmpegArguments({
      inputs: [{ file: 'testsrc2=size=64x64:rate=5', options: ['-f', 'lavfi'] }],
      outputs: [{ file: '-', options: ['-f', 'null'] }],
    });
    expect(args).toEqual(['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=5', '-y', '-f', 'null', '-']);
  });

  test.each([
    '/etc/passwd',
    '../other/source',
    'a/../../b',
    'http://host/x',
    'concat:a|b',
    'file:/etc/passwd',
    'a\0b',
    'a\nb',
  ])('refuses %j', (file) => {
    expect(() => ffmpegArguments({ inputs: [{ file, options: [] }], outputs: [] })).toThrow(
      'Not a name within scratch',
    );
    expect(() => ffmpegArguments({ inputs: [], outputs: [{ file, options: [] }] })).toThrow(
      'Not a name within scratch',
    );
  });
});
