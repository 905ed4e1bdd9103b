/** Init segments and fragments of one track, as ffmpeg's HLS muxer writes them: read, and moved in time. */
import { boxesIn, descend, only, type Box } from './boxes.js';
import { pictureCodecs } from './sample-entry.js';

export interface InitFacts {
  /** Ticks per second. */
  readonly timescale: number;
  /** RFC 6381: `avc1.640028`, `mp4a.40.2`. */
  readonly codecs: string;
}

const ENTRY = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd'];
/** Bytes of an AudioSampleEntry before its child boxes (14496-12, 12.2.3). */
const AUDIO_ENTRY = 28;

/** @throws RangeError when it is no init segment of one picture (H.264, HEVC, AV1, VP9) or AAC track. */
export function readInit(init: Buffer): InitFacts {
  const mdhd = only(init, ['moov', 'trak', 'mdia', 'mdhd']);
  const timescale = init.readUInt32BE(mdhd.body + (init[mdhd.body] === 1 ? 20 : 12));
  const stsd = only(init, ENTRY);
  const [entry] = boxesIn(init, stsd.body + 8, stsd.end);
  const picture = entry && pictureCodecs(init, entry);
  if (picture !== undefined) return { timescale, codecs: picture };
  if (entry?.type === 'mp4a') {
    const esds = only(init, ['esds'], { ...entry, body: entry.body + AUDIO_ENTRY });
    return { timescale, codecs: `mp4a.40.${audioObjectType(init, esds)}` };
  }
  throw new RangeError(`Unknown sample entry ${entry?.type}.`);
}

/** Walks ES_Descriptor (3) -> DecoderConfigDescriptor (4) -> DecoderSpecificInfo (5), 14496-1 7.2.6. */
function audioObjectType(bytes: Buffer, esds: Box): number {
  let at = esds.body + 4;
  while (at < esds.end) {
    const tag = bytes[at++];
    while (bytes[at++]! & 0x80);
    if (tag === 3) at += 3;
    else if (tag === 4) at += 13;
    else if (tag === 5) return bytes[at]! >> 3;
    else break;
  }
  throw new RangeError('No decoder configuration in esds.');
}

export interface FragmentFacts {
  /** Presentation time of the first sample, ticks on the run's own clock. */
  readonly start: number;
  readonly samples: number;
  readonly startsWithSync: boolean;
}

interface Run {
  readonly trun: Box;
  readonly samples: number;
  /** Offset of the first sample's composition offset, and the distance to the next one's; undefined where all are 0. */
  readonly offsets?: { readonly first: number; readonly stride: number } | undefined;
  readonly firstFlags: number;
}

/** trun flags (14496-12, 8.8.8). */
const DATA_OFFSET = 0x1;
const FIRST_FLAGS = 0x4;
const SAMPLE_FIELDS = [0x100, 0x200, 0x400, 0x800];
const CTS = 0x800;
/** sample_is_non_sync_sample */
const NON_SYNC = 0x10000;

export function readFragment(fragment: Buffer): FragmentFacts {
  const runs = runsOf(fragment);
  const [first] = runs;
  if (!first) return { start: 0, samples: 0, startsWithSync: false };
  const tfdt = only(fragment, ['moof', 'traf', 'tfdt']);
  return {
    start: Number(baseTime(fragment, tfdt)) + offsetOf(fragment, first, 0),
    samples: runs.reduce((sum, run) => sum + run.samples, 0),
    startsWithSync: (first.firstFlags & NON_SYNC) === 0,
  };
}

/**
 * A copy of a fragment that is presented from `start` on: decoding begins at `start` too, and composition
 * offsets become relative to the first sample (signed, trun version 1), so that no edit list is needed.
 *
 * @param start ticks
 * @param sequence mfhd's sequence number, from 1
 */
export function alignFragment(fragment: Buffer, start: number, sequence: number): Buffer {
  const moved = Buffer.from(fragment);
  const runs = runsOf(moved);
  const delay = runs[0] ? offsetOf(moved, runs[0], 0) : 0;
  const shift = BigInt(start) - baseTime(moved, only(moved, ['moof', 'traf', 'tfdt']));
  for (const tfdt of descend(moved, ['moof', 'traf', 'tfdt'])) {
    moved.writeBigUInt64BE(baseTime(moved, tfdt) + shift, tfdt.body + 4);
  }
  descend(moved, ['moof', 'mfhd']).forEach((mfhd, i) => moved.writeUInt32BE(sequence + i, mfhd.body + 4));
  for (const run of runs) {
    if (!run.offsets) continue;
    for (let i = 0; i < run.samples; i += 1) {
      const value = offsetOf(moved, run, i) - delay;
      moved.writeInt32BE(value, run.offsets.first + i * run.offsets.stride);
    }
    moved[run.trun.body] = 1;
  }
  return moved;
}

function baseTime(bytes: Buffer, tfdt: Box): bigint {
  if (bytes[tfdt.body] !== 1) throw new RangeError('tfdt is not 64 bits wide.');
  return bytes.readBigUInt64BE(tfdt.body + 4);
}

/** Version 0 is unsigned by the letter, but no real offset reaches the sign bit. */
function offsetOf(bytes: Buffer, run: Run, sample: number): number {
  return run.offsets ? bytes.readInt32BE(run.offsets.first + sample * run.offsets.stride) : 0;
}

function runsOf(bytes: Buffer): Run[] {
  return descend(bytes, ['moof', 'traf']).flatMap((traf) => {
    const tfhd = only(bytes, ['tfhd'], traf);
    return descend(bytes, ['trun'], traf).map((trun) => runOf(bytes, trun, defaultFlags(bytes, tfhd)));
  });
}

function runOf(bytes: Buffer, trun: Box, fallbackFlags: number): Run {
  const flags = bytes.readUIntBE(trun.body + 1, 3);
  const samples = bytes.readUInt32BE(trun.body + 4);
  let at = trun.body + 8 + (flags & DATA_OFFSET ? 4 : 0);
  const ownFlags = flags & FIRST_FLAGS ? bytes.readUInt32BE(at) : undefined;
  if (flags & FIRST_FLAGS) at += 4;
  const present = SAMPLE_FIELDS.filter((field) => flags & field);
  const stride = present.length * 4;
  if (at + samples * stride > trun.end) throw new RangeError('A track run is cut off.');
  const flagsAt = flags & 0x400 ? bytes.readUInt32BE(at + present.indexOf(0x400) * 4) : undefined;
  const offsets = flags & CTS ? { first: at + present.indexOf(CTS) * 4, stride } : undefined;
  return { trun, samples, offsets, firstFlags: ownFlags ?? flagsAt ?? fallbackFlags };
}

/** tfhd: default_sample_flags, behind the optional fields that are there (14496-12, 8.8.7). */
function defaultFlags(bytes: Buffer, tfhd: Box): number {
  const flags = bytes.readUIntBE(tfhd.body + 1, 3);
  if (!(flags & 0x20)) return 0;
  const before = (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0) + (flags & 0x8 ? 4 : 0) + (flags & 0x10 ? 4 : 0);
  return bytes.readUInt32BE(tfhd.body + 8 + before);
}
