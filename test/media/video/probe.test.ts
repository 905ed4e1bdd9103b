import { describe, expect, test } from '@jest/globals';

import { MediaError } from '../../../src/contracts/errors.js';
import type { FfprobeReport, FfprobeStream } from '../../../src/media/video/ffprobe-report.js';
import { PacketMeter, type StreamSpan } from '../../../src/media/video/packets.js';
import { openingError, readFacts } from '../../../src/media/video/probe.js';

const LIMITS = { maxSeconds: 3600, maxSidePx: 4000 };
const picture = (own: Partial<FfprobeStream> = {}): FfprobeStream => ({
  index: 0,
  codec_type: 'video',
  codec_name: 'h264',
  width: 640,
  height: 480,
  avg_frame_rate: '25/1',
  nb_frames: '100',
  ...own,
});
const sound = (own: Partial<FfprobeStream> = {}): FfprobeStream => ({
  index: 1,
  codec_type: 'audio',
  codec_name: 'aac',
  channels: 2,
  sample_rate: '44100',
  ...own,
});
const span = (seconds: number, fps = 25, start = 0): StreamSpan => {
  const packets = Math.max(1, Math.round(seconds * fps));
  return {
    packets,
    start,
    last: start + (packets - 1) / fps,
    end: start + packets / fps,
    interval: 1 / fps,
    disorder: 0,
  };
};
interface Case {
  readonly format?: FfprobeReport['format'];
  readonly spans?: [number, StreamSpan][];
  readonly warnings?: string;
}
const read = (streams: FfprobeStream[], { format, spans, warnings = '' }: Case = {}) =>
  readFacts(
    {
      report: { streams, format: { format_name: 'mov,mp4,m4a', duration: '4.0', start_time: '0.0', ...format } },
      spans: new Map(spans ?? streams.map(({ index }) => [index, span(4)])),
      warnings,
    },
    LIMITS,
  );
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (MediaError.is(error)) return error.code;
    throw error;
  }
  return 'none';
};

test('where the sound goes on for more than a second, the last frame is held for as long', () => {
  const held = (sound_: StreamSpan) =>
    read([picture(), sound()], { spans: [[0, span(4)], [1, sound_]] }).video!.heldUntil; // prettier-ignore
  expect(held(span(4.9, 43))).toBeUndefined();
  expect(held(span(60, 43))).toBe(60);
  // A time stamp that jumps, and sound whose time stamps can not be relied on.
  expect(held({ ...span(5, 43), end: 1000 })).toBeUndefined();
  expect(held({ ...span(60, 43), disorder: 1 })).toBeUndefined();
});

describe('readFacts', () => {
  test('picture and sound', () => {
    expect(
      read([picture(), sound({ tags: { language: 'deu', title: 'A "title"' }, disposition: { default: 1 } })]),
    ).toEqual({
      container: 'mov',
      duration: 4,
      seekable: true,
      subtitles: [],
      video: {
        streamIndex: 0,
        codec: 'h264',
        width: 640,
        height: 480,
        rotation: 0,
        interlaced: false,
        frameRate: 25,
        duration: 4,
        pixelFormat: 'unknown',
      },
      audio: [
        {
          streamIndex: 1,
          codec: 'aac',
          channels: 2,
          sampleRate: 44_100,
          duration: 4,
          language: 'deu',
          title: 'A  title',
          isDefault: true,
        },
      ],
    });
  });

  test('a still beside a film is not its picture, however large it is', () => {
    const streams = [picture({ index: 0, width: 4000, height: 3000 }), picture({ index: 1 })];
    expect(read(streams, { spans: [[0, span(0.04)], [1, span(4)]] }).video).toMatchObject({ streamIndex: 1, width: 640 }); // prettier-ignore
  });

  test('the largest picture; of equals the default one', () => {
    const small = picture({ index: 0, disposition: { default: 1 } });
    const large = picture({ index: 2, width: 1280, height: 720 });
    expect(read([small, sound(), large]).video?.streamIndex).toBe(2);
    expect(read([picture({ index: 3 }), picture({ index: 4, disposition: { default: 1 } })]).video?.streamIndex).toBe(
      4,
    );
  });

  test('covers are no pictures', () => {
    const cover = picture({ codec_name: 'mjpeg', disposition: { attached_pic: 1 } });
    expect(read([cover, sound()]).video).toBeUndefined();
    const unmarked = picture({ codec_name: 'png' });
    expect(read([unmarked, sound()], { format: { format_name: 'flac' } }).video).toBeUndefined();
    expect(codeOf(() => read([cover]))).toBe('NO_MEDIA');
  });

  test.each([
    [-90, 90, '480x640'],
    [90, 270, '480x640'],
    [180, 180, '640x480'],
    [-180, 180, '640x480'],
    [45, 0, '640x480'],
  ])('a matrix of %d degrees turns by %d', (rotation, clockwise, size) => {
    const { video } = read([picture({ side_data_list: [{ rotation }] })]);
    expect([video?.rotation, `${video?.width}x${video?.height}`]).toEqual([clockwise, size]);
  });

  test('square pixels, stretched before they are turned', () => {
    expect(read([picture({ width: 720, height: 576, sample_aspect_ratio: '64:45' })]).video).toMatchObject({
      width: 1024,
      height: 576,
    });
    expect(read([picture({ width: 720, height: 576, sample_aspect_ratio: '0:1' })]).video).toMatchObject({
      width: 720,
    });
    const turned = picture({
      width: 720,
      height: 576,
      sample_aspect_ratio: '64:45',
      side_data_list: [{ rotation: 90 }],
    });
    expect(read([turned]).video).toMatchObject({ width: 576, height: 1024 });
  });

  test('interlaced by its field order', () => {
    expect(
      ['tt', 'bb', 'tb', 'bt', 'progressive', 'unknown'].map(
        (field_order) => read([picture({ field_order })]).video?.interlaced,
      ),
    ).toEqual([true, true, true, true, false, false]);
  });

  test('duration and rate come from packets, whatever the header says', () => {
    const lying = read([picture({ avg_frame_rate: '1000/1' })], { format: { duration: '143165.6' } });
    expect(lying).toMatchObject({ duration: 4, video: { frameRate: 25 } });
    expect(read([picture()], { format: { duration: undefined } })).toMatchObject({ duration: 4, seekable: false });
    expect(read([picture({ avg_frame_rate: '0/0' })], { spans: [[0, span(0.04)]] }).video?.frameRate).toBe(25);
  });

  test('only what has an index of its whole is sought', () => {
    expect(read([picture()]).seekable).toBe(true);
    expect(read([picture({ nb_frames: undefined })]).seekable).toBe(false);
    expect(read([picture({ nb_frames: undefined })], { format: { format_name: 'matroska,webm' } }).seekable).toBe(true);
    expect(read([picture()], { format: { format_name: 'mpegts' } }).seekable).toBe(false);
  });

  test('time is counted from where the file starts', () => {
    const facts = read([picture(), sound()], { format: { start_time: '1.4' }, spans: [[0, span(4, 25, 1.5)], [1, span(4, 25, 1.4)]] }); // prettier-ignore
    expect(facts.video?.duration).toBeCloseTo(4.1);
    expect(facts.audio[0]?.duration).toBeCloseTo(4);
  });

  test('where frames were left out, the rate of what moves', () => {
    const gappy: StreamSpan = { packets: 40, start: 0, last: 4, end: 4, interval: 1 / 30, disorder: 0 };
    expect(read([picture({ avg_frame_rate: '0/0' })], { spans: [[0, gappy]] }).video?.frameRate).toBeCloseTo(30);
  });

  test.each<[string, string, () => unknown]>([
    ['no streams', 'NO_MEDIA', () => read([])],
    ['subtitles only', 'NO_MEDIA', () => read([{ index: 0, codec_type: 'subtitle', codec_name: 'subrip' }])],
    ['an encrypted track', 'ENCRYPTED', () => read([picture({ codec_tag_string: 'encv' })])],
    ['no packets', 'DAMAGED_FILE', () => read([picture()], { spans: [] })],
    [
      'no packets at a cut',
      'TRUNCATED_FILE',
      () => read([picture()], { spans: [], warnings: 'File ended prematurely' }),
    ],
    ['an unknown codec', 'UNSUPPORTED_FORMAT', () => read([picture({ codec_name: undefined })])],
    ['a picture without size', 'DAMAGED_FILE', () => read([picture({ width: 0 })])],
    ['too long', 'LIMIT_DURATION', () => read([picture()], { spans: [[0, span(3700)]] })],
    ['too wide', 'LIMIT_SIDE', () => read([picture({ width: 4002 })])],
  ])('%s: %s', (_name, code, run) => {
    expect(codeOf(run)).toBe(code);
  });

  test('a cut file is kept when a segment or nearly all of it is there, and says so', () => {
    const cut = (seconds: number, promised: string) =>
      read([picture()], {
        spans: [[0, span(seconds)]],
        format: { duration: promised },
        warnings: 'stream 0: partial file',
      });
    expect(codeOf(() => cut(1.6, '1132.0'))).toBe('TRUNCATED_FILE');
    expect(cut(5, '1132.0')).toMatchObject({ duration: 5, truncatedFrom: 1132, seekable: false });
    expect(cut(3.4, '3.6').truncatedFrom).toBe(3.6);
    expect(cut(3.56, '3.6').truncatedFrom).toBeUndefined();
  });
});

test('openingError', () => {
  const code = (stderr: string): string => openingError(stderr).code;
  expect(code('[mov] moov atom not found')).toBe('DAMAGED_FILE');
  expect(code('hit EOF while reading sub-sample encryption info')).toBe('ENCRYPTED');
  expect(code("Format not on whitelist 'mov'")).toBe('UNSUPPORTED_TYPE');
  expect(code('Invalid data found when processing input')).toBe('DAMAGED_FILE');
});

describe('PacketMeter', () => {
  const measure = (lines: string[]) => {
    const meter = new PacketMeter();
    lines.forEach((line) => meter.add(line));
    return meter.spans();
  };

  test('B frames, discarded packets, missing times, side data', () => {
    const spans = measure([
      '0,0.080000,0.000000,0.040000,K_',
      '0,0.200000,0.040000,0.040000,__',
      '0,0.120000,0.080000,0.040000,__,',
      '0,0.160000,0.120000,0.040000,__',
      '1,-0.021000,-0.021000,0.021000,KD',
      '1,0.000000,0.000000,0.021000,K_',
      '2,N/A,N/A,N/A,K_',
      '',
      'nonsense',
    ]);
    expect(spans.get(0)).toEqual({
      packets: 4,
      start: 0.08,
      last: 0.2,
      end: 0.24000000000000002,
      interval: 0.04,
      disorder: 0,
    });
    expect(spans.get(1)).toMatchObject({ packets: 1, start: 0, interval: 0 });
    expect([...spans.keys()]).toEqual([0, 1]);
  });

  test('memory is bounded, whatever comes', () => {
    const meter = new PacketMeter();
    for (let i = 0; i < 5000; i += 1) meter.add(`${i},${i},${i},1,K_`);
    expect(meter.spans().size).toBe(256);
  });
});
