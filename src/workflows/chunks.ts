/** The chunks of a video: which go next, which are done, and what they brought. */
import { chunksOf, framesOfChunk, type Chunk, type ChunkResult, type VideoPlan } from '../contracts/plan.js';
import type { ChunkProgress } from '../contracts/progress.js';

export class Chunks {
  readonly all: readonly Chunk[];
  /** Places in `all`, in the order in which they go. */
  private waiting: number[];
  private readonly running = new Set<number>();
  private readonly results: (ChunkResult | undefined)[];
  /** Damaged frames that runs for viewers met: the chunk itself may find their segments done and not look at them. */
  private readonly damagedBefore: number[];

  constructor(private readonly plan: VideoPlan) {
    this.all = chunksOf(plan);
    this.waiting = this.all.map((_, place) => place);
    this.results = this.all.map(() => undefined);
    this.damagedBefore = this.all.map(() => 0);
  }

  /** Takes the next one. */
  take(): number | undefined {
    const place = this.waiting.shift();
    if (place !== undefined) this.running.add(place);
    return place;
  }

  get hasWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** Those that were taken, done or not. */
  get begun(): Chunk[] {
    return this.all.filter((_, place) => !this.waiting.includes(place));
  }

  /** A viewer is there: that chunk goes next, and those after it. */
  prefer(segment: number): void {
    const from = this.placeOf(segment);
    this.waiting = [...this.waiting.filter((place) => place >= from), ...this.waiting.filter((place) => place < from)];
  }

  finish(place: number, result: ChunkResult): void {
    this.running.delete(place);
    this.results[place] = result;
    // Nothing comes after the end: what lies behind it need not be tried.
    const end = this.end;
    this.waiting = this.waiting.filter((waiting) => waiting <= end);
  }

  noteDamage({ firstSegment }: Chunk, frames: number): void {
    const place = this.placeOf(firstSegment);
    this.damagedBefore[place] = (this.damagedBefore[place] ?? 0) + frames;
  }

  isDone(segment: number): boolean {
    return this.isOver(this.placeOf(segment));
  }

  /** Whether every chunk that holds one of these frames is done. */
  hold(frames: readonly number[]): boolean {
    const perSegment = this.plan.grid?.segmentFrames ?? 1;
    return frames.every((frame) => this.isDone(Math.floor(frame / perSegment)));
  }

  /** Those that are not done, under way or not. */
  get left(): Chunk[] {
    return this.all.filter((_, place) => !this.isOver(place));
  }

  /** Of these, those that the source reaches. */
  real(chunks: readonly Chunk[]): Chunk[] {
    const end = this.all[this.end];
    return chunks.filter(({ firstSegment }) => end === undefined || firstSegment <= end.firstSegment);
  }

  get allDone(): boolean {
    return this.all.every((_, place) => this.isOver(place));
  }

  /** Frames on the grid that there really are: up to where the source first ended before its time. */
  get frames(): number {
    const { grid } = this.plan;
    if (!grid) return 0;
    return this.sum((result, chunk) => result?.frames ?? framesOfChunk(grid, chunk));
  }

  get damagedFrames(): number {
    return this.sum((result, _, place) => Math.max(result?.damagedFrames ?? 0, this.damagedBefore[place] ?? 0));
  }

  get progress(): ChunkProgress {
    const letters = this.all.map((_, place) => (this.isOver(place) ? 'd' : this.running.has(place) ? 'r' : 'w'));
    const over = this.all.filter((_, place) => letters[place] === 'd');
    return {
      done: over.length,
      total: this.all.length,
      states: letters.join(''),
      segments: { done: segmentsOf(over), total: segmentsOf(this.all) },
    };
  }

  /** Place of the first chunk at which the source ended; what later ones brought is void. */
  private get end(): number {
    const end = this.results.findIndex((result) => result?.endedEarly);
    return end < 0 ? this.all.length - 1 : end;
  }

  private isOver(place: number): boolean {
    return this.results[place] !== undefined || place > this.end;
  }

  private placeOf(segment: number): number {
    const place = this.all.findIndex(({ firstSegment, segments }) => segment < firstSegment + segments);
    return place < 0 ? this.all.length - 1 : place;
  }

  private sum(of: (result: ChunkResult | undefined, chunk: Chunk, place: number) => number): number {
    return this.all
      .slice(0, this.end + 1)
      .reduce((total, chunk, place) => total + of(this.results[place], chunk, place), 0);
  }
}

const segmentsOf = (chunks: readonly Chunk[]): number => chunks.reduce((sum, { segments }) => sum + segments, 0);
