/** What is to be expected of an asset's deadline, for its uploader and for other services. */
import { noteDeadline } from '../../catalogue/deadlines.js';
import type { Job } from '../../contracts/assets.js';
import type { DeadlineReport } from '../../contracts/deadlines.js';
import type { ActivityContext } from '../context.js';
import { activity, assertAlive } from '../scope.js';
import { countDeadline, publishDeadline } from './publish-deadline.js';

type Needs = Pick<ActivityContext, 'logger' | 'db' | 'results'>;

/** `on-time` is written down and not told: everybody expects it. */
export function createAnnounceDeadline({ logger, db, results }: Needs) {
  return activity(
    logger,
    async (scope, job: Job, report: DeadlineReport): Promise<void> => {
      assertAlive();
      const noted = await noteDeadline(db, job, report);
      if (noted !== 'new' && noted !== 'again') return;
      if (noted === 'new') countDeadline(report);
      await publishDeadline(results, job, report);
      scope.logger.info(`deadline ${report.state}`, { assetId: job.assetId, ...report });
    },
    { isBrief: true },
  );
}
