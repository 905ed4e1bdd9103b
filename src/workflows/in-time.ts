/** At a deadline what is whole is published, whatever is still being made; that follows, and nothing that befalls it harms the former. */
import { CancellationScope, CancelledFailure, condition, isCancellation, log } from '@temporalio/workflow';

import type { PublishResult } from '../contracts/activities.js';
import { ERRORS, type PublicError } from '../contracts/errors.js';
import { publicErrorOf } from './ending.js';
import type { FirstLook } from './first-look.js';
import type { MediaMaker } from './media-maker.js';
import { publish } from './publishing.js';
import type { Studio } from './studio.js';

export class InTime {
  private published: PublishResult | undefined;
  private isAllMade = false;

  constructor(
    private readonly studio: Studio,
    private readonly maker: MediaMaker,
  ) {}

  /** Makes everything. */
  async make(look: FirstLook): Promise<void> {
    await this.maker.make(look.settled);
    this.isAllMade = true;
    // A first look that still waits for its place is not worth a deadline.
    if (this.studio.story.deadline.publishBy !== undefined) look.stop();
  }

  /** Publishes early where that is needed, and ends when it has or when all is made. Of a job without a deadline, nothing is written into the history. */
  async watch(): Promise<void> {
    const { pacing, story } = this.studio;
    await condition(() => pacing.isDue || this.isAllMade);
    if (this.isAllMade) return;
    try {
      this.published = await publish(this.maker, this.studio, { startedAt: story.startedAt, isEarly: true });
    } catch (error) {
      if (isCancellation(error)) throw error;
      // Then all of it is published at the end, late; whether it can be is for that to say.
      log.error('not published in time', { error });
      return;
    }
    pacing.published();
    story.publishedEarly();
  }

  /** The last step: publishes everything, or what followed. */
  async finish(): Promise<PublishResult> {
    const { studio, maker, published } = this;
    const { startedAt } = studio.story;
    if (!published) return publish(maker, studio, { startedAt });
    const mends = published.missing.map(({ name }) => name);
    return mends.length === 0 ? published : publish(maker, studio, { startedAt, repair: true, mends });
  }

  /**
   * What was to follow does not: it is named with the reason instead, and what is published stays as it is.
   *
   * @returns undefined when nothing has been published
   * @throws the error when it is a cancellation
   */
  async leave(error: unknown): Promise<PublishResult | undefined> {
    if (!this.published) return undefined;
    const isCancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
    const reason = isCancelled ? CANCELLED : publicErrorOf(error);
    const published = await CancellationScope.nonCancellable(() => this.nameMissing(reason));
    this.studio.story.end(published.state, reason);
    if (isCancelled) throw isCancellation(error) ? error : new CancelledFailure(reason.message);
    return published;
  }

  private async nameMissing(reason: PublicError): Promise<PublishResult> {
    const { studio, maker } = this;
    const { story, parts, steps } = studio;
    const published = this.published!;
    for (const name of story.unfinished) parts.leave({ name, error: reason });
    const mends = published.missing.map(({ name }) => name);
    try {
      const outcome = await steps.publish(story.startedAt, maker.made, { lastTry: true, repair: true, mends });
      return outcome.outcome === 'published' ? outcome : published;
    } catch (error) {
      log.error('it stays as it was published', { error });
      return published;
    }
  }
}

const CANCELLED: PublicError = { code: 'CANCELLED', message: ERRORS.CANCELLED.sentence };
