/** Fragments of one AAC track (ISO/IEC 14496-12): taken apart into frames, and put together on the audio grid. */
import { boxesIn, descend, only, type Box } from './boxes.js';
import { AAC_FRAME } from './audio-args.js';

/** tfhd and trun flags (14496-12, 8.8.7 and 8.8.8). */
const DEFAULT_SIZE = 0x10;
const DEFAULT_DURATION = 0x8;
const DEFAULT_FLAGS = 0x20;
const BASE_IS_MOOF = 0x2_0000;
const DATA_OFFSET = 0x1;
const FIRST_FLAGS = 0x4;
const DURATIONS = 0x100;
const SIZES = 0x200;
const LATER_FIELDS = [0x400, 0x800];
/** sample_depends_on = 2: on no other. */
const SYNC_SAMPLE = 0x200_0000;
/** ffmpeg's, of every init segment with one track. */
const TRACK_ID = 1;

/**
 * The frames of a file of one or more fragments, each with its movie fragment before its data.
 *
 * @throws RangeError when sizes and data do not agree
 */
export function aacFrames(file: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let sizes: number[] = [];
  for (const box of boxesIn(file)) {
    if (box.type === 'moof') sizes = descend(file, ['traf'], box).flatMap((traf) => sizesIn(file, traf));
    if (box.type !== 'mdat') continue;
    let at = box.body;
    for (const size of sizes) frames.push(file.subarray(at, (at += size)));
    if (at !== box.end) throw new RangeError('Frames and data differ in length.');
    sizes = [];
  }
  return frames;
}

function sizesIn(file: Buffer, traf: Box): number[] {
  const tfhd = only(file, ['tfhd'], traf);
  const flags = file.readUIntBE(tfhd.body + 1, 3);
  const before = (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0) + (flags & DEFAULT_DURATION ? 4 : 0);
  const fallback = flags & DEFAULT_SIZE ? file.readUInt32BE(tfhd.body + 8 + before) : 0;
  return descend(file, ['trun'], traf).flatMap((trun) => {
    const fields = file.readUIntBE(trun.body + 1, 3);
    const count = file.readUInt32BE(trun.body + 4);
    const first = trun.body + 8 + (fields & DATA_OFFSET ? 4 : 0) + (fields & FIRST_FLAGS ? 4 : 0);
    const stride = 4 * [DURATIONS, SIZES, ...LATER_FIELDS].filter((field) => fields & field).length;
    if (first + count * stride > trun.end) throw new RangeError('A track run is cut off.');
    const sizeAt = first + (fields & DURATIONS ? 4 : 0);
    return Array.from({ length: count }, (_, i) =>
      fields & SIZES ? file.readUInt32BE(sizeAt + i * stride) : fallback,
    );
  });
}

/**
 * A media segment with one fragment.
 *
 * @param segment from 0
 * @param firstFrame AAC frames of the track before it
 */
export function audioSegment(segment: number, firstFrame: number, frames: readonly Buffer[]): Buffer {
  const sizes = Buffer.alloc(frames.length * 4);
  frames.forEach((frame, i) => sizes.writeUInt32BE(frame.length, i * 4));
  const moof = (dataOffset: number): Buffer =>
    box('moof', [
      fullBox('mfhd', 0, 0, [uint32(segment + 1)]),
      box('traf', [
        fullBox('tfhd', 0, BASE_IS_MOOF | DEFAULT_DURATION | DEFAULT_FLAGS, [
          uint32(TRACK_ID),
          uint32(AAC_FRAME),
          uint32(SYNC_SAMPLE),
        ]),
        fullBox('tfdt', 1, 0, [uint64(firstFrame * AAC_FRAME)]),
        fullBox('trun', 0, DATA_OFFSET | SIZES, [uint32(frames.length), uint32(dataOffset), sizes]),
      ]),
    ]);
  const headBytes = 8;
  return Buffer.concat([
    box('styp', [Buffer.from('msdh\0\0\0\0msdhmsix', 'latin1')]),
    moof(moof(0).length + headBytes),
    box('mdat', frames),
  ]);
}

function box(type: string, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([uint32(body.length + 8), Buffer.from(type, 'latin1'), body]);
}

const fullBox = (type: string, version: number, flags: number, parts: readonly Buffer[]): Buffer =>
  box(type, [uint32(version * 0x100_0000 + flags), ...parts]);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
