import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { bytesOf, endOfSamples, headOf, mergeRanges, spansOf, without } from '../../../src/media/video/movie-index.js';
import { readSampleTables } from '../../../src/media/video/sample-table.js';
import { readLayout } from '../../../src/media/video/top-boxes.js';

const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, i * 4));
  return bytes;
};
const box = (type: string, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
};
const full = (type: string, ...values: number[]): Buffer => box(type, u32(0, ...values));

interface Shape {
  readonly handler?: string;
  readonly entry?: string;
  readonly stts?: number[];
  readonly ctts?: number[];
  readonly stss?: number[] | null;
  readonly stsc?: number[];
  readonly stco?: number[];
  readonly stsz?: number[];
  readonly elst?: number[];
  readonly timescale?: number;
  readonly drefFlags?: number;
}
/** Ten seconds: 250 frames of 100 bytes, ten in a chunk, a key frame each second. */
const COUNT = 250;
function trak(shape: Shape = {}): Buffer {
  const { handler = 'vide', entry = 'avc1', timescale = 25, drefFlags = 1 } = shape;
  const stss = shape.stss === undefined ? Array.from({ length: 10 }, (_, i) => i * 25 + 1) : shape.stss;
  const stco = shape.stco ?? Array.from({ length: 25 }, (_, i) => 1000 + i * 2000);
  const table = (type: string, values: number[], width: number) => full(type, values.length / width, ...values);
  const stbl = box(
    'stbl',
    box('stsd', u32(0, 1), box(entry, Buffer.alloc(78))),
    table('stts', shape.stts ?? [COUNT, handler === 'soun' ? 2 : 1], 2),
    ...(shape.ctts ? [table('ctts', shape.ctts, 2)] : []),
    ...(stss ? [table('stss', stss, 1)] : []),
    table('stsc', shape.stsc ?? [1, 10, 1], 3),
    table('stco', stco, 1),
    full('stsz', ...(shape.stsz ?? [100, COUNT])),
  );
  const dinf = box('dinf', box('dref', u32(0, 1), box('url ', u32(drefFlags))));
  const edts = shape.elst ? [box('edts', table('elst', shape.elst, 3))] : [];
  return box(
    'trak',
    full('tkhd', 0, 0, 7, 0, 0),
    ...edts,
    box(
      'mdia',
      full('mdhd', 0, 0, timescale, 0, 0),
      box('hdlr', u32(0, 0), Buffer.from(handler), u32(0, 0, 0)),
      box('minf', dinf, stbl),
    ),
  );
}
const moov = (...traks: Buffer[]): Buffer => box('moov', full('mvhd', 0, 0, 1000, 0), ...traks);
const read = (...shapes: Shape[]) => readSampleTables(moov(...shapes.map(trak)));

describe('the tables of a movie', () => {
  test('say when each stream is shown', () => {
    const tracks = read({}, { handler: 'soun', entry: 'mp4a', stss: null, timescale: 50 })!;
    expect(tracks.map(({ id, handler, samples }) => [id, handler, samples])).toEqual([[7, 'vide', 250], [7, 'soun', 250]]); // prettier-ignore
    const spans = spansOf(tracks);
    expect(spans.get(0)).toEqual({ packets: 250, start: 0, last: 9.96, end: 10, interval: 0.04, disorder: 0 });
    expect(spans.get(1)).toMatchObject({ start: 0, end: 10 });
    expect(endOfSamples(tracks)).toBe(1000 + 24 * 2000 + 1000);
  });

  test('with an edit: a delay, and a part that is not shown', () => {
    // Six tenths of a second later, from frame 50 on, for two seconds.
    const [span] = [...spansOf(read({ elst: [600, -1, 0x10000, 2000, 50, 0x10000] })!).values()];
    expect(span).toMatchObject({ packets: 50, start: 0.6, end: 2.6 });
    expect(span!.last).toBeCloseTo(2.56);
  });

  test('with reordered frames: shown from the first that is shown, not from the first that is decoded', () => {
    const ctts = Array.from({ length: COUNT }, (_, i) => [1, i % 2 === 0 ? 3 : 1]).flat();
    expect(spansOf(read({ ctts })!).get(0)).toMatchObject({ start: 0.08, end: 10.08 });
    expect(spansOf(read({ ctts, elst: [10_000, 2, 0x10000] })!).get(0)).toMatchObject({ packets: 250, start: 0 });
  });

  test.each<[string, Shape]>([
    ['encrypted', { entry: 'encv' }],
    ['two edits', { elst: [1000, 0, 0x10000, 1000, 50, 0x10000] }],
    ['another speed', { elst: [1000, 0, 0x20000] }],
    ['counts that do not agree', { stts: [COUNT - 1, 1] }],
    ['a count beyond the bytes', { stts: [0xffffffff, 1] }],
    ['an absurd constant size', { stsz: [100, 0xffffffff], stts: [0xffffffff, 1] }],
    ['a sample without a chunk', { stco: [1000] }],
    ['chunks out of order', { stsc: [5, 10, 1, 2, 3, 1] }],
    ['no key frame', { stss: [] }],
    ['a clock that stands still', { timescale: 0 }],
    ['thousands of years', { stts: [COUNT, 0x7fffffff] }],
    ['samples of one tick that are no PCM', { handler: 'soun', entry: 'mp4a', stss: null, stts: [COUNT, 1] }],
    ['media in another file', { drefFlags: 0 }],
  ])('%s: not for us', (_name, shape) => expect(read(shape)).toBeUndefined());

  test('a compressed one, none, too many tracks: not for us', () => {
    expect(readSampleTables(box('moov', box('cmov')))).toBeUndefined();
    expect(readSampleTables(moov())).toBeUndefined();
    expect(readSampleTables(box('free'))).toBeUndefined();
    expect(read(...Array.from({ length: 65 }, () => ({})))).toBeUndefined();
  });
});

describe('the bytes of a stretch', () => {
  const chunk = (index: number) => 1000 + index * 2000;

  test('from the key frame before the run-up, to some packets behind its end', () => {
    // One key frame each second, twelve of them; three hundred frames.
    const tracks = read({
      stts: [3000, 1], stsz: [100, 3000], stss: Array.from({ length: 120 }, (_, i) => i * 25 + 1),
      stco: Array.from({ length: 300 }, (_, i) => chunk(i)),
    })!; // prettier-ignore
    const ranges = bytesOf(tracks, { from: 40, to: 44, streams: [0] })!;
    // 40 s - 4.5 s -> 35 s: frame 875, in the middle of chunk 87, and one more.
    expect(ranges[0]).toEqual({ from: chunk(87) + 400, to: chunk(87) + 1000 });
    // 44 s + 2 s: frame 1150, and 64 more.
    expect(ranges.at(-1)!.to).toBe(chunk(121) + 500 + 100);
    expect(ranges).toHaveLength(35);
    expect(bytesOf(tracks, { from: 0, to: 1, streams: [1] })).toBeUndefined();
  });

  test('of one stream: from where the picture is sought to', () => {
    const tracks = read(
      { stss: [1] },
      {
        handler: 'soun',
        entry: 'mp4a',
        stss: null,
        timescale: 50,
        stco: Array.from({ length: 25 }, (_, i) => 2000 + i * 2000),
      },
    )!;
    // The only key frame is the first: ffmpeg takes the sound back to it too.
    expect(bytesOf(tracks, { from: 9, to: 10, streams: [1] })![0]!.from).toBe(2000);
  });

  test('what ffmpeg needs to open it: the first samples of every stream', () => {
    const tracks = read({}, { handler: 'soun', entry: 'mp4a', stss: null, timescale: 50, stco: Array.from({ length: 25 }, (_, i) => 90_000 + i * 2000) })!; // prettier-ignore
    const head = headOf(tracks);
    expect(head[0]).toEqual({ from: 1000, to: 2000 });
    expect(head.some(({ from }) => from === 90_000)).toBe(true);
  });

  test('ranges are merged and subtracted', () => {
    const ranges = [{ from: 50, to: 60 }, { from: 0, to: 10 }, { from: 12, to: 20 }]; // prettier-ignore
    expect(mergeRanges(ranges, 2)).toEqual([{ from: 0, to: 20 }, { from: 50, to: 60 }]); // prettier-ignore
    expect(without([{ from: 0, to: 100 }], [{ from: 0, to: 10 }, { from: 40, to: 50 }, { from: 90, to: 200 }])).toEqual([{ from: 10, to: 40 }, { from: 50, to: 90 }]); // prettier-ignore
  });
});

describe('hostile bytes', () => {
  const good = moov(trak(), trak({ handler: 'soun', entry: 'mp4a', stss: null, timescale: 50 }));

  test('never throw, and what is accepted is within bounds', () => {
    const flips = fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 12 }); // prettier-ignore
    fc.assert(
      fc.property(flips, fc.nat(good.length), (changes, cut) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        for (const candidate of [bytes, bytes.subarray(0, cut)]) {
          const tracks = readSampleTables(candidate);
          if (!tracks) continue;
          expect(tracks.reduce((sum, { samples }) => sum + samples, 0)).toBeLessThan(2 ** 33);
          expect(Number.isSafeInteger(endOfSamples(tracks))).toBe(true);
          for (const { start, end } of spansOf(tracks).values()) expect(Number.isFinite(end - start)).toBe(true);
          bytesOf(tracks, { from: 3, to: 5, streams: tracks.map((_, i) => i) });
          headOf(tracks);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  test('noise is no movie', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (noise) => readSampleTables(Buffer.from(noise)) === undefined),
    );
  });
});

describe('the outermost boxes', () => {
  const media = box('mdat', Buffer.alloc(3000));
  const layoutOf = async (bytes: Buffer, size = bytes.length) => {
    let requests = 0;
    const layout = await readLayout((offset, length) => {
      requests += 1;
      return Promise.resolve(bytes.subarray(offset, offset + length));
    }, size);
    expect(requests).toBeLessThanOrEqual(64);
    return layout;
  };
  const index = moov(trak());
  const type = box('ftyp', Buffer.from('isom'));

  test('the index is found in front and at the end', async () => {
    expect((await layoutOf(Buffer.concat([type, media, index])))?.moov.from).toBe(type.length + media.length);
    const front = await layoutOf(Buffer.concat([type, index, media]));
    expect(front?.moov).toEqual({ from: type.length, to: type.length + index.length });
    expect(front?.outside).toEqual([{ from: 0, to: 12 }, { from: 12 + index.length, to: 12 + index.length + 64 }]); // prettier-ignore
  });

  test.each([
    ['fragments', [type, index, box('moof'), media]],
    ['two indexes', [type, index, index, media]],
    ['no index', [type, media]],
    ['no media', [type, index]],
    ['thousands of boxes', [...Array.from({ length: 3000 }, () => box('free')), index, media]],
    ['large unknown boxes', [type, box('uuid', Buffer.alloc(5 * 1024 ** 2)), index, media]],
  ])('%s: not for us', async (_name, boxes) => expect(await layoutOf(Buffer.concat(boxes))).toBeUndefined());

  test('an end that is missing: not for us', async () => {
    const bytes = Buffer.concat([type, index, media]);
    expect(await layoutOf(bytes.subarray(0, -1))).toBeUndefined();
  });
});
