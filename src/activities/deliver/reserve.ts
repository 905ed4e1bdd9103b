/** Promises of publishers, made by the process that holds them. */
import type { Reservation, ReservationRequest } from '../../contracts/activities.js';
import type { ActivityContext } from '../context.js';
import { activity } from '../scope.js';
import { ownQueue } from './own-queue.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'targets'>;

/** Where nobody could be in time nothing is promised, and the answer comes at once: it is to be late by as little as possible. */
export function createReservePublisher({ config, logger, targets }: Needs) {
  return activity(
    logger,
    async (scope, { id, target, encodeSeconds, timeoutSeconds }: ReservationRequest): Promise<Reservation> => {
      scope.report({ step: 'reserve', what: target, percent: 0 });
      const wish = { id, fromSeconds: encodeSeconds, bySeconds: timeoutSeconds };
      const promised = await targets.get(target).promise(wish, scope.signal);
      scope.logger.debug('publisher reserved', { id, target, promised });
      return { id, queue: ownQueue(config.queues) };
    },
  );
}

export function createReleasePublisher({ logger, targets }: Needs) {
  return activity(
    logger,
    async (_scope, { id, target }: Pick<ReservationRequest, 'id' | 'target'>): Promise<void> => {
      targets.get(target).release(id);
    },
    { isBrief: true },
  );
}
