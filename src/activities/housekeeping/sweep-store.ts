import type { Counts } from '../../contracts/lifecycle.js';
import type { ActivityContext } from '../context.js';
import { activity } from '../scope.js';
import { mend } from './mend.js';
import { survey } from './survey.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'db'>;

/** Whatever is under way has said so by then, even after an outage of minutes. Seconds. */
const MIN_AGE = 3_600;

export function createSweepStore(context: Needs) {
  return activity(context.logger, async (scope): Promise<Counts> => {
    const { signal, logger } = scope;
    const counts: Record<string, number> = {};
    for await (const finding of survey(context, { minAgeSeconds: MIN_AGE, signal })) {
      const remedy = await mend({ ...context, logger }, finding, signal);
      const what = `${finding.what}: ${remedy}`;
      counts[what] = (counts[what] ?? 0) + 1;
      scope.report({ step: 'verify', what, percent: 0 });
    }
    return counts;
  });
}
