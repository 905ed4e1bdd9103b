/** The parts of a plan (rungs, tracks, pictures): which are lost, and what stops when one is cancelled. */
import { ActivityFailure, CancellationScope, isCancellation } from '@temporalio/workflow';

import type { MissingPart } from '../contracts/activities.js';
import type { Priority } from '../contracts/assets.js';
import { ERRORS } from '../contracts/errors.js';
import type { VideoPlan } from '../contracts/plan.js';
import { publicErrorOf } from './ending.js';
import type { Story } from './story.js';

/** A step under way, and the parts that it makes. */
export interface RunningStep {
  readonly names: readonly string[];
  /** That it was handed out with. */
  readonly priority: Priority;
}

export class Parts {
  private readonly lost = new Map<string, MissingPart>();
  /** What runs now, and the parts that it makes. */
  private readonly running = new Map<CancellationScope, RunningStep & { isAgain: boolean }>();

  constructor(
    private readonly plan: Pick<VideoPlan, 'rungs' | 'audio'>,
    private readonly story: Story,
  ) {}

  get missing(): readonly MissingPart[] {
    return [...this.lost.values()];
  }

  isLost(name: string): boolean {
    return this.lost.has(name);
  }

  /** Of these, the names that are still to be made. */
  left(parts: readonly { readonly name: string }[]): string[] {
    return parts.map(({ name }) => name).filter((name) => !this.isLost(name));
  }

  /** Takes a part out of the plan, on request. A step that makes it now starts again without it, from its last finished segment. */
  withdraw(name: string): void {
    this.lost.set(name, { name, error: { code: 'CANCELLED', message: ERRORS.CANCELLED.sentence } });
    for (const [scope, { names }] of this.running) if (names.includes(name)) scope.cancel();
  }

  /** Stops steps, to be prepared again: what they have finished stays. */
  again(which: (step: RunningStep) => boolean): void {
    for (const [scope, step] of this.running) {
      if (!which(step)) continue;
      step.isAgain = true;
      scope.cancel();
    }
  }

  /** Of an earlier workflow: what it did without stays away. */
  leave(part: MissingPart): void {
    this.lost.set(part.name, part);
    this.story.part(part.name, part.error.code === 'CANCELLED' ? 'cancelled' : 'failed', part.error);
  }

  /**
   * A part that can't be made is missing, and not the end, as long as there is something else to play.
   *
   * @throws the error when there is not
   */
  lose(name: string, error: unknown): void {
    const essential = this.plan.rungs.length > 0 ? this.plan.rungs : this.plan.audio;
    const isLast = essential.some((part) => part.name === name) && this.left(essential).every((left) => left === name);
    if (isLast) throw error;
    const reason = publicErrorOf(error);
    this.lost.set(name, { name, error: reason });
    this.story.part(name, 'failed', reason);
  }

  /** Runs a step that makes one part, if that is still wanted. Undefined: it is lost. */
  async optional<T>(name: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await this.stoppable<T | undefined>(() => {
        if (this.isLost(name)) return [[], () => Promise.resolve(undefined)];
        this.story.part(name, 'running');
        return [[name], run];
      });
      // Cancelled in the moment that it was finished.
      if (this.isLost(name)) return undefined;
      this.story.part(name, 'done');
      return result;
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (!this.isLost(name)) this.lose(name, error);
      return undefined;
    }
  }

  /**
   * Runs what `prepare` hands out; when one of its parts is withdrawn meanwhile, stops it, waits
   * until it has stopped, and prepares again.
   */
  async stoppable<T>(prepare: () => [parts: readonly string[], run: () => Promise<T>]): Promise<T> {
    for (;;) {
      const [parts, run] = prepare();
      const scope = new CancellationScope();
      const step = { names: parts, priority: this.story.setting.priority, isAgain: false };
      this.running.set(scope, step);
      try {
        return await scope.run(run);
      } catch (error) {
        const isOurs = step.isAgain || parts.some((name) => this.isLost(name));
        if (!isOurs || CancellationScope.current().consideredCancelled || !wasStopped(error)) throw error;
      } finally {
        this.running.delete(scope);
      }
    }
  }
}

/** Cancelled, or failed in another way (a drain, a dead worker) that would have been tried again had it not been cancelled. */
function wasStopped(error: unknown): boolean {
  return isCancellation(error) || (error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED');
}
