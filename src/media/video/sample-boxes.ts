/** The boxes below `stbl`: tables that are never expanded, only walked (ISO/IEC 14496-12, 8.6 and 8.7). */
import type { Box } from './boxes.js';

const MAX_CHILDREN = 1024;

export interface Sample {
  /** Ticks of the track. */
  dts: number;
  cts: number;
  duration: number;
  /** Bytes from the start of the file. */
  offset: number;
  size: number;
  sync: boolean;
}

export const odd = (what: string): RangeError => new RangeError(what);

/** Like `boxesIn`, but not more of them than a movie has. @throws RangeError */
export function children(bytes: Buffer, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  for (let start = from; to - start >= 8;) {
    const wide = bytes.readUInt32BE(start) === 1;
    const size = wide ? Number(bytes.readBigUInt64BE(start + 8)) : bytes.readUInt32BE(start);
    // QuickTime ends a list of boxes by a zero.
    if (size === 0) break;
    const body = start + (wide ? 16 : 8);
    if (start + size > to || body > start + size) throw odd('A box runs past its parent.');
    if (boxes.length === MAX_CHILDREN) throw odd('Too many boxes.');
    boxes.push({ type: bytes.toString('latin1', start + 4, start + 8), start, body, end: start + size });
    start += size;
  }
  return boxes;
}

export function maybe(boxes: readonly Box[], type: string): Box | undefined {
  const found = boxes.filter((box) => box.type === type);
  // Readers differ in which one counts.
  if (found.length > 1) throw odd(`Two boxes ${type}.`);
  return found[0];
}

export function one(boxes: readonly Box[], type: string): Box {
  const box = maybe(boxes, type);
  if (!box) throw odd(`No box ${type}.`);
  return box;
}

/** A table of 32-bit entries, `width` numbers each. */
interface Table {
  readonly count: number;
  at(row: number, column?: number): number;
}

/** @param lead bytes between version/flags and the count */
function tableOf(bytes: Buffer, box: Box, width: number, lead = 0): Table {
  const count = bytes.readUInt32BE(box.body + 4 + lead);
  const start = box.body + 8 + lead;
  if (start + count * width * 4 > box.end) throw odd(`A table ${box.type} runs past its box.`);
  return { count, at: (row, column = 0) => bytes.readUInt32BE(start + (row * width + column) * 4) };
}

/** All of them agree with each other, or the constructor throws a RangeError. */
export class SampleBoxes {
  readonly samples: number;
  readonly durations: Table;
  readonly chunks: Table;
  readonly #wideOffsets: boolean;
  readonly #compositions: Table | undefined;
  readonly #runs: Table;
  readonly #syncs: Table | undefined;
  readonly #sizeOf: (sample: number) => number;

  constructor(bytes: Buffer, stbl: readonly Box[]) {
    this.durations = tableOf(bytes, one(stbl, 'stts'), 2);
    const ctts = maybe(stbl, 'ctts');
    this.#compositions = ctts && tableOf(bytes, ctts, 2);
    this.#runs = tableOf(bytes, one(stbl, 'stsc'), 3);
    const stss = maybe(stbl, 'stss');
    this.#syncs = stss && tableOf(bytes, stss, 1);
    if (this.#syncs?.count === 0) throw odd('No sample to start from.');
    const co64 = maybe(stbl, 'co64');
    this.#wideOffsets = co64 !== undefined;
    this.chunks = co64 ? tableOf(bytes, co64, 2) : tableOf(bytes, one(stbl, 'stco'), 1);
    const stsz = maybe(stbl, 'stsz');
    [this.samples, this.#sizeOf] = stsz ? sizes(bytes, stsz) : compactSizes(bytes, one(stbl, 'stz2'));
    if (total(this.durations) !== this.samples) throw odd('The tables stts and stsz do not agree.');
    if (this.#compositions && total(this.#compositions) !== this.samples) throw odd('ctts and stsz do not agree.');
  }

  #offsetOf(chunk: number): number {
    return this.#wideOffsets ? this.chunks.at(chunk) * 2 ** 32 + this.chunks.at(chunk, 1) : this.chunks.at(chunk);
  }

  /** Calls `visit` with each chunk and the number of its samples until all samples have one. */
  #eachChunk(visit: (chunk: number, first: number, samples: number) => boolean | void): void {
    let first = 0;
    for (let run = 0; run < this.#runs.count && first < this.samples; run += 1) {
      const from = this.#runs.at(run) - 1;
      const until = run + 1 < this.#runs.count ? this.#runs.at(run + 1) - 1 : this.chunks.count;
      const perChunk = this.#runs.at(run, 1);
      if ((run === 0 && from !== 0) || until <= from || until > this.chunks.count || perChunk === 0) return;
      for (let chunk = from; chunk < until && first < this.samples; chunk += 1) {
        const samples = Math.min(perChunk, this.samples - first);
        if (visit(chunk, first, samples)) return;
        first += samples;
      }
    }
  }

  walkChunks(sampleBytes: number, visit: (sample: Readonly<Sample>) => boolean | void): void {
    const sample = { dts: 0, cts: 0, duration: 0, offset: 0, size: 0, sync: true };
    this.#eachChunk((chunk, first, samples) => {
      sample.dts = sample.cts = first;
      sample.duration = samples;
      sample.offset = this.#offsetOf(chunk);
      sample.size = Math.ceil(samples * sampleBytes);
      return visit(sample);
    });
  }

  walkSamples(visit: (sample: Readonly<Sample>) => boolean | void): void {
    const sample = { dts: 0, cts: 0, duration: 0, offset: 0, size: 0, sync: true };
    const [durations, compositions, syncs] = [this.durations, this.#compositions, this.#syncs];
    let [durationRow, durationLeft, compositionRow, compositionLeft, shift, syncRow] = [-1, 0, -1, 0, 0, 0];
    let nextSync = syncs ? syncs.at(0) - 1 : 0;
    let next = 0;
    this.#eachChunk((chunk, first, samples) => {
      sample.offset = this.#offsetOf(chunk);
      for (let index = first; index < first + samples; index += 1) {
        for (; durationLeft === 0; durationLeft = durations.at(durationRow)) durationRow += 1;
        if (compositions) {
          for (; compositionLeft === 0; compositionLeft = compositions.at(compositionRow)) compositionRow += 1;
          // Version 0 is unsigned by the letter; makers write signed ones into it.
          shift = compositions.at(compositionRow, 1) | 0;
          compositionLeft -= 1;
        }
        durationLeft -= 1;
        sample.dts = next;
        sample.cts = next + shift;
        sample.duration = durations.at(durationRow, 1);
        next += sample.duration;
        sample.size = this.#sizeOf(index);
        sample.sync = index === nextSync;
        if (!syncs) nextSync += 1;
        else if (sample.sync) nextSync = ++syncRow < syncs.count ? syncs.at(syncRow) - 1 : -1;
        if (visit(sample)) return true;
        sample.offset += sample.size;
      }
      return false;
    });
  }
}

const total = (table: Table): number => {
  let sum = 0;
  for (let row = 0; row < table.count; row += 1) sum += table.at(row);
  return sum;
};

/** `stsz` (8.7.3.2): one size for all, or one each. */
function sizes(bytes: Buffer, stsz: Box): [number, (sample: number) => number] {
  const size = bytes.readUInt32BE(stsz.body + 4);
  if (size > 0) return [bytes.readUInt32BE(stsz.body + 8), () => size];
  const table = tableOf(bytes, stsz, 1, 4);
  return [table.count, (sample) => table.at(sample)];
}

/** `stz2` (8.7.3.3): sizes of 4, 8 or 16 bits. */
function compactSizes(bytes: Buffer, stz2: Box): [number, (sample: number) => number] {
  const width = bytes[stz2.body + 7]!;
  const count = bytes.readUInt32BE(stz2.body + 8);
  const start = stz2.body + 12;
  if (![4, 8, 16].includes(width) || start + (count * width) / 8 > stz2.end) throw odd('Strange sizes.');
  if (width === 16) return [count, (sample) => bytes.readUInt16BE(start + sample * 2)];
  if (width === 8) return [count, (sample) => bytes[start + sample]!];
  return [count, (sample) => (bytes[start + (sample >> 1)]! >> (sample % 2 === 0 ? 4 : 0)) & 15];
}
