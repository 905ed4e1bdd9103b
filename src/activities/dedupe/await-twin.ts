/** Waits for another asset of the same bytes, without a place of its own. */
import type { TwinOutcome } from '../../contracts/activities.js';
import type { Job } from '../../contracts/assets.js';
import type { ActivityContext } from '../context.js';
import { waitingFailure } from '../failures.js';
import { activity } from '../scope.js';
import { onward } from '../deliver/onward.js';
import { resultOf } from '../publish/document.js';
import { contentOf } from './content.js';
import { settle } from './settle.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'profiles' | 'store' | 'db' | 'results'>;

/** Between two looks: short ones for what takes seconds, rare ones for what takes hours. Seconds. */
const LONGEST_PAUSE = 15;

export function createAwaitTwin(context: Needs) {
  return activity(
    context.logger,
    async (scope, job: Job, sha256: string, startedAt: string): Promise<TwinOutcome> => {
      const content = contentOf(context, job, sha256);
      const settled = await settle(context, scope, job, content, startedAt);
      if (settled.outcome === 'mine') return settled;
      if (settled.outcome === 'adopted')
        return { outcome: 'published', ...resultOf(settled.document), ...onward(context, job) };
      throw waitingFailure(
        `the same bytes are being made as asset ${settled.holder.id}`,
        Math.min(LONGEST_PAUSE, scope.info.attempt),
      );
    },
    { isBrief: true },
  );
}
