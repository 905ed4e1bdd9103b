/** What is left of a video to be encoded, and how fast that goes, as far as one knows. */
import { reserveOf, type Outlook } from '../contracts/course.js';
import type { EncodeTiming, FleetLoad, Pace } from '../contracts/pace.js';
import { segmentCount, type Chunk, type VideoRung } from '../contracts/plan.js';
import { decodingOf, encodingOf, fromTheBottom } from '../contracts/projection.js';
import type { Rooms } from './rooms.js';

/** Work per second of one chunk, before any was measured. */
const USUAL_SPEED = 60;
/** Of a new measurement. */
const SHARE = 0.5;
/** Steps that a machine does side by side. */
const SIDE_BY_SIDE = 2;
/** No step is nearly done for ever: it may be in a queue. */
const NEARLY_DONE = 0.9;

interface Run {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly rungs: readonly string[];
}

export class Forecast {
  private speed = USUAL_SPEED;
  private load: FleetLoad = { waiting: 0, workers: 1 };
  private waited: number | undefined;
  private readonly running = new Map<Chunk, Run>();
  /** When encoding could begin, milliseconds since 1970. */
  private begunAt = 0;

  constructor(private readonly studio: Rooms) {}

  begin(pace: Pace | undefined): void {
    this.begunAt = Date.now();
    this.speed = pace?.speed ?? this.speed;
    this.load = pace?.load ?? this.load;
  }

  began(chunk: Chunk, rungs: readonly string[]): void {
    this.running.set(chunk, { since: Date.now(), rungs });
  }

  /** @returns what it was to make */
  ended(chunk: Chunk): Run {
    const run = this.running.get(chunk)!;
    this.running.delete(chunk);
    return run;
  }

  measured({ waitedSeconds, speed, load }: EncodeTiming): void {
    if (speed !== undefined) this.speed += SHARE * (speed - this.speed);
    this.waited = waitedSeconds;
    this.load = load;
  }

  /** @param publishBy milliseconds since 1970 */
  outlook(publishBy: number): Outlook {
    const { steps, chunks } = this.studio;
    const { plan } = steps;
    const now = Date.now();
    const segments = (plan.grid ? segmentCount(plan.grid) : 1) * (plan.rungs.length + plan.audio.length);
    const chunksLeft = chunks.left.length || this.laterRuns;
    const layers = this.layers(false, now);
    return {
      now,
      publishBy,
      layers,
      hastyLayers: this.layers(true, now),
      lowest: this.layers(true, Infinity)[0] ?? 0,
      chunksLeft,
      speed: this.speed,
      lanes: Math.max(1, Math.min(chunksLeft, this.load.workers)),
      waitSeconds: this.waitSeconds(layers, chunksLeft),
      ...reserveOf((publishBy - this.begunAt) / 1000, segments),
    };
  }

  /** By what was waited for, and by what waits now in front of it. */
  private waitSeconds(layers: readonly number[], chunksLeft: number): number {
    if (chunksLeft === 0) return 0;
    const each = layers.reduce((sum, work) => sum + work, 0) / chunksLeft / this.speed;
    const ahead = (this.load.waiting * each) / (this.load.workers * SIDE_BY_SIDE);
    return this.waited === undefined ? ahead : (this.waited + ahead) / 2;
  }

  /** Work that is left of every rung, from the bottom. @param now Infinity: whatever may be under way */
  private layers(isHasty: boolean, now: number): number[] {
    const { steps, chunks, later } = this.studio;
    const { plan } = steps;
    const all = chunks.left.map((chunk) => ({ chunk, share: 1 - this.doneOf(chunk, now) }));
    return this.rungs.map((rung, place) => {
      const first = all.map(({ chunk, share }) => {
        const decoding = place === 0 ? decodingOf(plan, chunk) : 0;
        return share * (decoding + encodingOf(plan, chunk, rung, { isHasty }));
      });
      const second = later
        .chunksOf(rung.name)
        .map((chunk) => decodingOf(plan, chunk) + encodingOf(plan, chunk, rung, { isHasty }));
      return [...first, ...second].reduce((sum, work) => sum + work, 0);
    });
  }

  /** Share of a chunk that is done by now, if it had its place as soon as others had. */
  private doneOf(chunk: Chunk, now: number): number {
    const run = this.running.get(chunk);
    if (!run || now === Infinity) return 0;
    const { plan } = this.studio.steps;
    const rungs = plan.rungs.filter(({ name }) => run.rungs.includes(name));
    const work = rungs.reduce((sum, rung) => sum + encodingOf(plan, chunk, rung), decodingOf(plan, chunk));
    const seconds = (now - run.since) / 1000 - (this.waited ?? 0);
    return work === 0 ? 0 : Math.max(0, Math.min(NEARLY_DONE, (seconds * this.speed) / work));
  }

  private get laterRuns(): number {
    return Math.max(0, ...this.rungs.map(({ name }) => this.studio.later.chunksOf(name).length));
  }

  /** Those that are encoded, and still wanted, from the bottom. */
  get rungs(): VideoRung[] {
    const { steps, parts } = this.studio;
    return fromTheBottom(steps.plan.rungs.filter(({ name, passthrough }) => !passthrough && !parts.isLost(name)));
  }
}
