/** What a viewer needs to start: the first segment of the lowest rung, and the first seconds of sound. */
import { CancellationScope, isCancellation, log, Trigger } from '@temporalio/workflow';

import { untilSeen } from './embargo.js';
import { lowestRung } from './rungs.js';
import { defaultTrack, previewFrom } from './sound.js';
import type { Studio } from './studio.js';
import { together } from './together.js';
import type { Wanted } from './wanted.js';

const FIRST = { firstSegment: 0, segments: 1 };

export class FirstLook {
  /** Resolves when the first segment is there, or is not to be had this way. */
  readonly settled = new Trigger<void>();
  private isOver = false;
  private scope: CancellationScope | undefined;

  constructor(
    private readonly studio: Studio,
    private readonly wanted: Wanted,
  ) {}

  /** Ends what is left of it: everything is there. */
  stop(): void {
    this.isOver = true;
    this.scope?.cancel();
  }

  /** Announces that the asset can be watched. What fails here says nothing against the asset: its own steps decide. */
  async show(): Promise<void> {
    try {
      this.scope = new CancellationScope();
      await this.scope.run(() => this.showAll());
    } catch (error) {
      if (!this.isOver || !isCancellation(error)) throw error;
    }
  }

  private async showAll(): Promise<void> {
    const shown = await together([() => tried(() => this.showPicture()), () => tried(() => this.playSound())]);
    if (!shown.every(Boolean)) return;
    // Nobody may watch what is held back; of what is all made by then, its publication tells.
    if (!(await untilSeen(this.studio.story, () => this.isOver))) return;
    await tried(async () => {
      await this.studio.steps.announcePlayable();
      this.studio.story.playable();
    });
  }

  /** All is made. */
  end(): void {
    this.isOver = true;
  }

  private async showPicture(): Promise<boolean> {
    const { steps, parts, pacing } = this.studio;
    const { rungs, kind } = steps.plan;
    try {
      const shown = await parts.stoppable<boolean>(() => {
        const rung = lowestRung(rungs.filter(({ name }) => !parts.isLost(name)))?.name;
        if (rung === undefined || pacing.isShort) return [[], () => Promise.resolve(false)];
        return [[rung], () => this.encodeFirst(rung)];
      });
      return kind === 'audio' || shown;
    } finally {
      this.settled.resolve();
    }
  }

  private async encodeFirst(rung: string): Promise<boolean> {
    const { steps, chunks, pacing } = this.studio;
    this.wanted.isMade(rung, FIRST);
    // Where this is the only rung, its frames for pictures come with it: nothing else need be decoded for them.
    const { damagedFrames, timing } = await steps.encodeChunk(FIRST, [rung], steps.plan.rungs.length === 1, {
      urgency: 'first',
    });
    if (timing) pacing.measured(timing);
    chunks.noteDamage(FIRST, damagedFrames);
    return true;
  }

  private async playSound(): Promise<void> {
    const { steps, parts, pacing } = this.studio;
    const track = defaultTrack(steps.plan);
    if (!track || pacing.isShort) return;
    const run = previewFrom(steps.plan, 0);
    this.wanted.isMade(track.name, run);
    await parts.stoppable(() =>
      parts.isLost(track.name) || pacing.isShort
        ? [[], () => Promise.resolve()]
        : [[track.name], () => steps.previewAudio(track, run, 'first')],
    );
  }
}

/** @returns false when it failed, or said so. Only a cancel goes on. */
async function tried(step: () => Promise<boolean | void>): Promise<boolean> {
  try {
    return (await step()) !== false;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('no first look', { error });
    return false;
  }
}
