/** An image whose bytes are another asset's already. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Content } from '../../catalogue/contents.js';
import type { AssetDocument, Job } from '../../contracts/assets.js';
import type { ActivityContext } from '../context.js';
import { settle } from '../dedupe/settle.js';
import { waitingFailure } from '../failures.js';
import type { ActivityScope } from '../scope.js';

/** Most images take less: it is not worth giving up one's place. Milliseconds. */
const PATIENCE = 3_000;
const POLL = 150;
/** Seconds. */
const LONGEST_PAUSE = 15;

/**
 * Waits for one that is being made.
 *
 * @returns undefined when this one is to be made
 * @throws ApplicationFailure to be tried again, when it takes long: others need the place
 */
export async function twinOf(
  context: Pick<ActivityContext, 'config' | 'store' | 'db' | 'results' | 'profiles'>,
  scope: ActivityScope,
  job: Job,
  content: Content,
  startedAt: string,
): Promise<AssetDocument | undefined> {
  for (const until = Date.now() + PATIENCE; ; await sleep(POLL, undefined, { signal: scope.signal })) {
    const settled = await settle(context, scope, job, content, startedAt);
    if (settled.outcome === 'mine') return undefined;
    if (settled.outcome === 'adopted') return settled.document;
    if (Date.now() > until) {
      const pause = Math.min(LONGEST_PAUSE, scope.info.attempt);
      throw waitingFailure(`the same bytes are being made as asset ${settled.holder.id}`, pause);
    }
  }
}
