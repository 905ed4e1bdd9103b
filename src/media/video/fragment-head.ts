/**
 * What the first bytes of a segment say of it: enough to verify a segment in the store, and to find its
 * first frame, without reading its media data.
 */
import { descend, only, type Box } from './boxes.js';

export interface FragmentHead {
  readonly trackId: number;
  /** `tfdt`: decode time of the first sample, ticks. */
  readonly decodeTime: number;
  readonly samples: number;
  /** Ticks, of all samples together. */
  readonly duration: number;
  readonly startsWithSync: boolean;
  /** Bytes that the sample table speaks of. */
  readonly sampleBytes: number;
  /** Bytes of media data that are in the fragment, by its own word. */
  readonly dataBytes: number;
  /** Bytes from the start of the segment to the end of its first sample. */
  readonly firstSampleEnd: number;
  /** Bytes from the start of the segment to the end of this fragment. */
  readonly end: number;
  /** H.264 only: which picture parameter set the first slice asks for, where that lies within what was read. */
  readonly parameterSet?: number | undefined;
}

/** That many bytes from the same offset are needed to go on. */
export interface NeedsMore {
  readonly need: number;
}

/** More than any real `moof` of one segment has. */
const MAX_HEAD = 4 * 1024 ** 2;
const BOX_HEADER = 16;

/**
 * @param bytes of the segment, from `offset` on
 * @param offset where in the segment the fragment begins
 * @param total bytes of the whole segment
 * @throws RangeError when this is no fragment of one track
 */
export function readFragmentHead(bytes: Buffer, offset: number, total: number): FragmentHead | NeedsMore {
  let moof: Box | undefined;
  for (let at = 0; ;) {
    const header = boxHeader(bytes, at);
    if (!header) {
      const need = Math.min(at + BOX_HEADER, total - offset);
      if (need <= bytes.length) throw new RangeError('It ends before its media data.');
      return { need };
    }
    if (offset + header.end > total) throw new RangeError(`It ends within ${header.type}.`);
    if (header.type === 'mdat') {
      if (!moof) throw new RangeError('Its media data has no header.');
      return headOf(bytes, offset, moof, header);
    }
    if (header.type === 'moof') {
      if (header.end > MAX_HEAD) throw new RangeError('Its header is too large.');
      // With the header of the box behind it.
      if (header.end > bytes.length) return { need: Math.min(header.end + BOX_HEADER, total - offset) };
      if (moof) throw new RangeError('It has a header without media data.');
      moof = header;
    }
    at = header.end;
  }
}

function boxHeader(bytes: Buffer, start: number): Box | undefined {
  if (start + 8 > bytes.length) return undefined;
  const short = bytes.readUInt32BE(start);
  if (short === 1 && start + BOX_HEADER > bytes.length) return undefined;
  const size = short === 1 ? Number(bytes.readBigUInt64BE(start + 8)) : short;
  const body = start + (short === 1 ? BOX_HEADER : 8);
  if (size < body - start) throw new RangeError('It holds a box of impossible size.');
  return { type: bytes.toString('latin1', start + 4, start + 8), start, body, end: start + size };
}

/** trun and tfhd flags (14496-12, 8.8.7 and 8.8.8). */
const TRUN = { dataOffset: 0x1, firstFlags: 0x4, duration: 0x100, size: 0x200, flags: 0x400, composition: 0x800 };
const TFHD = { base: 0x1, description: 0x2, duration: 0x8, size: 0x10, flags: 0x20 };
/** sample_is_non_sync_sample */
const NON_SYNC = 0x10000;

interface Defaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

function headOf(bytes: Buffer, offset: number, moof: Box, mdat: Box): FragmentHead {
  const trafs = descend(bytes, ['traf'], moof);
  if (trafs.length !== 1) throw new RangeError(`It holds ${trafs.length} tracks.`);
  const [traf] = trafs as [Box];
  const tfhd = only(bytes, ['tfhd'], traf);
  const tfdt = only(bytes, ['tfdt'], traf);
  const runs = descend(bytes, ['trun'], traf).map((trun) => readRun(bytes, trun, defaultsOf(bytes, tfhd)));
  const [first] = runs;
  if (!first || first.samples === 0) throw new RangeError('It has no samples.');
  const data = first.dataOffset === undefined ? mdat.body : moof.start + first.dataOffset;
  if (data !== mdat.body) throw new RangeError('Its sample table does not lead to its media data.');
  const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
  return {
    trackId: bytes.readUInt32BE(tfhd.body + 4),
    decodeTime:
      bytes[tfdt.body] === 1 ? Number(bytes.readBigUInt64BE(tfdt.body + 4)) : bytes.readUInt32BE(tfdt.body + 4),
    samples: sum((run) => run.samples),
    duration: sum((run) => run.duration),
    startsWithSync: (first.firstFlags & NON_SYNC) === 0,
    sampleBytes: sum((run) => run.bytes),
    dataBytes: mdat.end - mdat.body,
    firstSampleEnd: offset + data + first.firstBytes,
    end: offset + mdat.end,
    parameterSet: parameterSetOf(bytes.subarray(data, data + first.firstBytes)),
  };
}

interface Run {
  readonly dataOffset?: number | undefined;
  readonly samples: number;
  readonly duration: number;
  readonly bytes: number;
  readonly firstBytes: number;
  readonly firstFlags: number;
}

function readRun(bytes: Buffer, trun: Box, defaults: Defaults): Run {
  const flags = bytes.readUIntBE(trun.body + 1, 3);
  const samples = bytes.readUInt32BE(trun.body + 4);
  let at = trun.body + 8;
  const next = (): number => {
    if (at + 4 > trun.end) throw new RangeError('A track run is cut off.');
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  const dataOffset = flags & TRUN.dataOffset ? next() | 0 : undefined;
  const ownFlags = flags & TRUN.firstFlags ? next() : undefined;
  let [duration, total, firstBytes, firstFlags] = [0, 0, 0, ownFlags ?? defaults.flags];
  for (let i = 0; i < samples; i += 1) {
    duration += flags & TRUN.duration ? next() : defaults.duration;
    const size = flags & TRUN.size ? next() : defaults.size;
    total += size;
    if (i === 0) firstBytes = size;
    const sampleFlags = flags & TRUN.flags ? next() : undefined;
    if (i === 0 && ownFlags === undefined && sampleFlags !== undefined) firstFlags = sampleFlags;
    if (flags & TRUN.composition) next();
  }
  return { dataOffset, samples, duration, bytes: total, firstBytes, firstFlags };
}

function defaultsOf(bytes: Buffer, tfhd: Box): Defaults {
  const flags = bytes.readUIntBE(tfhd.body + 1, 3);
  let at = tfhd.body + 8 + (flags & TFHD.base ? 8 : 0) + (flags & TFHD.description ? 4 : 0);
  const next = (flag: number): number => {
    if (!(flags & flag)) return 0;
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  return { duration: next(TFHD.duration), size: next(TFHD.size), flags: next(TFHD.flags) };
}

const NAL_LENGTH = 4;
/** first_mb_in_slice, slice_type and pic_parameter_set_id are within these. */
const SLICE_BYTES = 12;

/** H.264, 7.3.3. Other codecs' samples may happen to look like it: ask only where the codec is H.264. */
function parameterSetOf(sample: Buffer): number | undefined {
  for (let at = 0; at + NAL_LENGTH + SLICE_BYTES <= sample.length;) {
    const length = sample.readUInt32BE(at);
    const type = sample[at + NAL_LENGTH]! & 0x1f;
    if (type === 1 || type === 5) {
      const bits = bitReader(sample.subarray(at + NAL_LENGTH + 1, at + NAL_LENGTH + 1 + SLICE_BYTES));
      return bits() === undefined || bits() === undefined ? undefined : bits();
    }
    at += NAL_LENGTH + length;
  }
  return undefined;
}

/** Reads one Exp-Golomb code at a time (9.1); undefined past the end. */
function bitReader(bytes: Buffer): () => number | undefined {
  let at = 0;
  const bit = (): number | undefined => {
    const byte = bytes[at >> 3];
    const value = byte === undefined ? undefined : (byte >> (7 - (at & 7))) & 1;
    at += 1;
    return value;
  };
  return () => {
    let zeros = 0;
    for (let value = bit(); value !== 1; value = bit()) {
      if (value === undefined) return undefined;
      zeros += 1;
    }
    let value = 1;
    for (let i = 0; i < zeros; i += 1) value = value * 2 + (bit() ?? 0);
    return value - 1;
  };
}

/** What an init segment says of its one track, beyond its codec. */
export interface TrackFacts {
  readonly trackId: number;
  /** Pixels; 0 x 0 for sound. */
  readonly width: number;
  readonly height: number;
  /** Picture parameter sets that are there; undefined where it is not H.264. */
  readonly parameterSets?: readonly number[] | undefined;
}

/** Bytes of a VisualSampleEntry before its child boxes (14496-12, 12.1.3), and where its size is. */
const VISUAL = { children: 78, width: 24, height: 26 };

/** @throws RangeError when it is no init segment of one track */
export function readTrack(init: Buffer): TrackFacts {
  const traks = descend(init, ['moov', 'trak']);
  if (traks.length !== 1) throw new RangeError(`It describes ${traks.length} tracks.`);
  const [trak] = traks as [Box];
  const tkhd = only(init, ['tkhd'], trak);
  const trackId = init.readUInt32BE(tkhd.body + (init[tkhd.body] === 1 ? 20 : 12));
  const handler = only(init, ['mdia', 'hdlr'], trak);
  if (init.toString('latin1', handler.body + 8, handler.body + 12) !== 'vide') return { trackId, width: 0, height: 0 };
  const stsd = only(init, ['mdia', 'minf', 'stbl', 'stsd'], trak);
  const entry = boxHeader(init, stsd.body + 8);
  if (!entry) throw new RangeError('Its sample entry is cut off.');
  const size = {
    width: init.readUInt16BE(entry.body + VISUAL.width),
    height: init.readUInt16BE(entry.body + VISUAL.height),
  };
  if (entry.type !== 'avc1') return { trackId, ...size };
  const avcC = only(init, ['avcC'], { ...entry, body: entry.body + VISUAL.children });
  return { trackId, ...size, parameterSets: parameterSetsOf(init.subarray(avcC.body, avcC.end)) };
}

/** 14496-15, 5.3.3.1: sequence parameter sets, then picture parameter sets, each behind its length. */
function parameterSetsOf(avcC: Buffer): number[] {
  let at = 6;
  const sets = (count: number): Buffer[] =>
    Array.from({ length: count }, () => {
      const length = avcC.readUInt16BE(at);
      at += 2 + length;
      return avcC.subarray(at - length, at);
    });
  sets(avcC[5]! & 0x1f);
  at += 1;
  return sets(avcC[at - 1]!).map((set) => bitReader(set.subarray(1))() ?? 0);
}
