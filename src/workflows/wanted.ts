/** What viewers wait for goes before everything else: short runs of segments from where they are. */
import { condition, defineSignal, isCancellation, log, setHandler } from '@temporalio/workflow';

import { segmentCount, type Chunk } from '../contracts/plan.js';
import { SIGNAL_WANTED, type WantedSegment } from '../contracts/progress.js';
import type { MediaMaker } from './media-maker.js';
import type { Studio } from './studio.js';
import { lowestRung } from './rungs.js';
import { audioSegments, previewFrom } from './sound.js';
import { together } from './together.js';

/** Runs for viewers in one workflow: what they cost its history, and an encoder, stays bounded whoever asks. */
const MOST_RUNS = 500;
/** Runs of one asset at a time. Each takes an urgent slot from another asset's viewers. */
const IN_FLIGHT = 4;
/** Wishes that wait for one of these. The newest counts most: older ones are of viewers who went on. */
const MOST_WISHES = 16;

/** Segments of a run: enough for a player to go on until the next run is there, few enough to be there at once. */
const LOWEST_RUNG_RUN = 4;
const RUNG_RUN = 2;

const wantedSignal = defineSignal<[WantedSegment]>(SIGNAL_WANTED);

interface Run {
  readonly segments: Chunk;
  readonly make: () => Promise<void>;
}

export class Wanted {
  private readonly wishes: WantedSegment[] = [];
  /** Runs that were begun: neither made twice nor, when one failed, tried again. */
  private readonly begun = new Map<string, Chunk[]>();
  private runs = 0;

  constructor() {
    setHandler(wantedSignal, (wish) => this.hear(wish));
  }

  /** Grants wishes until it is cancelled. No wish that fails harms anything but itself. */
  async serve(studio: Studio, maker: MediaMaker): Promise<void> {
    const lane = async (): Promise<void> => {
      for (;;) {
        await condition(() => this.wishes.length > 0);
        const wish = this.wishes.pop();
        if (wish) await this.grant(wish, studio, maker);
      }
    };
    await together(Array.from({ length: IN_FLIGHT }, () => lane));
  }

  /** Someone else makes these. */
  isMade(name: string, run: Chunk): void {
    this.begun.set(name, [...(this.begun.get(name) ?? []), run]);
  }

  /** Anybody may signal anything. */
  private hear(wish: unknown): void {
    if (typeof wish !== 'object' || wish === null) return;
    const { name, segment } = wish as Partial<WantedSegment>;
    if (typeof name !== 'string' || !Number.isSafeInteger(segment) || segment === undefined || segment < 0) return;
    if (this.wishes.some((other) => other.name === name && other.segment === segment)) return;
    this.wishes.push({ name, segment });
    if (this.wishes.length > MOST_WISHES) this.wishes.shift();
  }

  private async grant(wish: WantedSegment, studio: Studio, maker: MediaMaker): Promise<void> {
    const run = this.runs < MOST_RUNS ? this.plan(wish, studio, maker) : undefined;
    if (!run) return;
    this.runs += 1;
    this.isMade(wish.name, run.segments);
    try {
      await studio.parts.stoppable<void>(() =>
        studio.parts.isLost(wish.name) ? [[], () => Promise.resolve()] : [[wish.name], run.make],
      );
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('wanted segments not made', { ...wish, error });
    }
  }

  /** @returns undefined when there is nothing to do: no such segment, it is there, or on its way. */
  private plan(
    { name, segment }: WantedSegment,
    { steps, parts, chunks, quality }: Studio,
    maker: MediaMaker,
  ): Run | undefined {
    const { plan } = steps;
    if (parts.isLost(name)) return undefined;
    const track = plan.audio.find((one) => one.name === name);
    if (track) {
      if (segment >= audioSegments(plan) || maker.hasTrack(name)) return undefined;
      const segments = this.untilBegun(name, previewFrom(plan, segment));
      return segments && { segments, make: () => steps.previewAudio(track, segments, 'wanted') };
    }
    const rung = plan.rungs.find((one) => one.name === name);
    // Only an encoder can begin in the middle: not a copy, and not where a source has to be read from its start.
    if (!rung || rung.passthrough || !plan.grid || plan.chunkSegments === 0) return undefined;
    const total = segmentCount(plan.grid);
    if (segment >= total || chunks.isDone(segment)) return undefined;
    chunks.prefer(segment);
    const length = rung === lowestRung(plan.rungs) ? LOWEST_RUNG_RUN : RUNG_RUN;
    const segments = this.untilBegun(name, { firstSegment: segment, segments: Math.min(length, total - segment) });
    const make = async (): Promise<void> => {
      if (!segments) return;
      // Where this is the only rung nobody else leaves the frames for pictures behind.
      const result = await steps.encodeChunk(segments, [name], plan.rungs.length === 1, { urgency: 'wanted' });
      quality.add(segments, result.quality);
      chunks.noteDamage(segments, result.damagedFrames);
    };
    return segments && { segments, make };
  }

  /** The run up to where another one begins; undefined when its first segment is in one. */
  private untilBegun(name: string, { firstSegment, segments }: Chunk): Chunk | undefined {
    const begun = this.begun.get(name) ?? [];
    const isBegun = (segment: number): boolean =>
      begun.some((run) => segment >= run.firstSegment && segment < run.firstSegment + run.segments);
    let length = 0;
    while (length < segments && !isBegun(firstSegment + length)) length += 1;
    return length > 0 ? { firstSegment, segments: length } : undefined;
  }
}
