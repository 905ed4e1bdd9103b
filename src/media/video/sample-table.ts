/**
 * The sample tables of an MP4 or QuickTime movie (ISO/IEC 14496-12, 8.6 and 8.7): when each sample is
 * decoded and shown, and where its bytes are.
 *
 * The bytes are hostile until proven otherwise. Nothing is expanded: tables stay in the buffer and are
 * walked; counts are checked against the bytes that are there. Whatever is unusual gives undefined,
 * and then the file is read the slow way, by ffprobe.
 */
import type { Box } from './boxes.js';
import type { FfprobeReport } from './ffprobe-report.js';
import { children, maybe, odd, one, SampleBoxes, type Sample } from './sample-boxes.js';

/** A larger index than any camera writes. */
export const MAX_MOOV_BYTES = 64 * 1024 ** 2;
/** 12 hours at 60 frames a second, and two tracks of sound. All of them are walked several times. */
const MAX_SAMPLES = 7_000_000;
const MAX_TRACKS = 64;
const MAX_SECONDS = 1_000_000;

export interface Track {
  /** `track_ID`. */
  readonly id: number;
  /** `vide`, `soun`, `text`, `sbtl`, `tmcd`, ... */
  readonly handler: string;
  /** Ticks per second. */
  readonly timescale: number;
  readonly samples: number;
  /** What is shown of the track, in ticks. Absent: all of it, from the first tick on. */
  readonly edit?: Edit | undefined;
  /**
   * In the order of decoding; uncompressed sound chunk by chunk. The visitor gets the same object each
   * time, and ends the walk by returning true.
   */
  walk(visit: (sample: Readonly<Sample>) => boolean | void): void;
}

export interface Edit {
  /** Nothing is shown for so long first. */
  readonly delay: number;
  readonly from: number;
  readonly until: number;
}

/** @param moov the whole box, header included. @returns tracks in the order of ffprobe's streams */
export function readSampleTables(moov: Buffer): readonly Track[] | undefined {
  if (moov.length > MAX_MOOV_BYTES) return undefined;
  try {
    const [root] = children(moov, 0, moov.length);
    if (root?.type !== 'moov') return undefined;
    const boxes = children(moov, root.body, root.end);
    // Compressed. (`mvex` alone says little: phones leave it behind when they join the fragments of a recording.)
    if (boxes.some(({ type }) => type === 'cmov')) return undefined;
    const movieScale = timescaleOf(moov, one(boxes, 'mvhd'));
    const traks = boxes.filter(({ type }) => type === 'trak');
    if (traks.length === 0 || traks.length > MAX_TRACKS) return undefined;
    const tracks = traks.map((trak) => trackOf(moov, trak, movieScale));
    const listed = tracks.reduce((sum, { walked }) => sum + walked, 0);
    return listed <= MAX_SAMPLES && tracks.every(isSound) ? tracks : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `mvhd` and `mdhd` start alike. */
function timescaleOf(bytes: Buffer, box: Box): number {
  const timescale = bytes.readUInt32BE(box.body + (bytes[box.body] === 1 ? 20 : 12));
  if (timescale === 0 || timescale > 0x7fffffff) throw odd('No timescale.');
  return timescale;
}

interface WalkableTrack extends Track {
  /** Rows that a walk visits. */
  readonly walked: number;
}

function trackOf(bytes: Buffer, trak: Box, movieScale: number): WalkableTrack {
  const boxes = children(bytes, trak.body, trak.end);
  const within = (box: Box): Box[] => children(bytes, box.body, box.end);
  const tkhd = one(boxes, 'tkhd');
  const id = bytes.readUInt32BE(tkhd.body + (bytes[tkhd.body] === 1 ? 20 : 12));
  const mdia = within(one(boxes, 'mdia'));
  const timescale = timescaleOf(bytes, one(mdia, 'mdhd'));
  const hdlr = one(mdia, 'hdlr');
  const handler = bytes.toString('latin1', hdlr.body + 8, hdlr.body + 12);
  const minf = within(one(mdia, 'minf'));
  refuseOtherFiles(bytes, maybe(minf, 'dinf'));
  const stbl = within(one(minf, 'stbl'));
  const pcmBytes = readSampleEntries(bytes, one(stbl, 'stsd'), handler);
  const edts = maybe(boxes, 'edts');
  const elst = edts && maybe(within(edts), 'elst');
  const edit = elst && editOf(bytes, elst, timescale / movieScale);
  const tables = new SampleBoxes(bytes, stbl);
  const durations = tables.durations;
  const uncompressed = handler === 'soun' && durations.count === 1 && durations.at(0, 1) === 1;
  if (uncompressed && pcmBytes === 0) throw odd('Samples of one tick, but not of PCM.');
  return {
    id,
    handler,
    timescale,
    samples: tables.samples,
    edit,
    walked: uncompressed ? tables.chunks.count : tables.samples,
    walk: (visit) => (uncompressed ? tables.walkChunks(pcmBytes, visit) : tables.walkSamples(visit)),
  };
}

/** All ticks add up, every sample has its bytes somewhere. */
function isSound(track: WalkableTrack): boolean {
  let seen = 0;
  let last = 0;
  let whole = true;
  track.walk(({ dts, cts, duration, offset, size }) => {
    seen += 1;
    last = dts + duration;
    whole = Number.isSafeInteger(offset + size) && Math.abs(cts - dts) <= MAX_SECONDS * track.timescale;
    return !whole;
  });
  return whole && seen === track.walked && last <= MAX_SECONDS * track.timescale;
}

/** `dref` (8.7.2): media in another file is not ours to open. */
function refuseOtherFiles(bytes: Buffer, dinf: Box | undefined): void {
  const dref = dinf && maybe(children(bytes, dinf.body, dinf.end), 'dref');
  if (!dref) return;
  for (const entry of children(bytes, dref.body + 8, dref.end)) {
    if ((bytes.readUInt32BE(entry.body) & 1) === 0) throw odd('Media in another file.');
  }
}

/** Bytes of one sample of all channels, where the entry's own numbers don't say; 0: they do. */
const PCM: Readonly<Record<string, number>> = {
  ...{ sowt: 0, twos: 0, lpcm: 0, 'raw ': 0, 'NONE': 0 },
  ...{ in24: 3, in32: 4, fl32: 4, fl64: 8, ulaw: 1, alaw: 1 },
}; // prettier-ignore

/** @returns bytes of a sample where it is uncompressed sound, else 0. @throws RangeError on encryption */
function readSampleEntries(bytes: Buffer, stsd: Box, handler: string): number {
  const entries = children(bytes, stsd.body + 8, stsd.end);
  if (entries.length === 0 || entries.some(({ type }) => /^(enc|drm)/.test(type))) throw odd('Encrypted, or nothing.');
  const [{ type, body, end }] = entries as [Box];
  const width = PCM[type];
  if (handler !== 'soun' || width === undefined || body + 28 > end) return 0;
  // The QuickTime sound description, versions 0 to 2.
  const version = bytes.readUInt16BE(body + 8);
  if (version === 1) return bytes.readUInt32BE(body + 36) / Math.max(1, bytes.readUInt32BE(body + 28));
  if (version === 2) return bytes.readUInt32BE(body + 56) / Math.max(1, bytes.readUInt32BE(body + 60));
  return bytes.readUInt16BE(body + 16) * (width || Math.ceil(bytes.readUInt16BE(body + 18) / 8));
}

/** `elst` (8.6.6): a delay, then one stretch at its own speed. More than that: odd. */
function editOf(bytes: Buffer, elst: Box, scale: number): Edit | undefined {
  const wide = bytes[elst.body] === 1;
  const count = bytes.readUInt32BE(elst.body + 4);
  const width = wide ? 20 : 12;
  if (count > 16 || elst.body + 8 + count * width > elst.end) throw odd('A strange edit list.');
  let delay = 0;
  let edit: Edit | undefined;
  for (let at = elst.body + 8; at < elst.body + 8 + count * width; at += width) {
    const duration = wide ? Number(bytes.readBigUInt64BE(at)) : bytes.readUInt32BE(at);
    const start = wide ? Number(bytes.readBigInt64BE(at + 8)) : bytes.readInt32BE(at + 4);
    if (edit) throw odd('More than one edit.');
    if (start === -1) delay += Math.round(duration * scale);
    else if (start < 0 || duration === 0 || bytes.readUInt32BE(at + width - 4) !== 0x10000)
      throw odd('A strange edit.');
    else edit = { delay, from: start, until: start + Math.round(duration * scale) };
  }
  if (delay > 0 && !edit) throw odd('Nothing is shown.');
  return edit;
}

/** Whether ffprobe found the same tracks in the same order. It lists covers behind them. */
export function agrees(tracks: readonly Track[], { streams = [] }: FfprobeReport): boolean {
  return (
    streams.length >= tracks.length &&
    streams.every(({ index, id, nb_frames, disposition }, i) => {
      const track = tracks[i];
      if (!track) return disposition?.attached_pic === 1;
      return index === i && Number(id) === track.id && Number(nb_frames ?? 0) === track.samples;
    })
  );
}
