import { deadlineOf, type DeadlineWishes } from '../contracts/deadlines.js';

/** Of a new row. A timeout that counts from the start of encoding is no deadline yet. */
export function wishesOf(wishes: DeadlineWishes) {
  const publishBy = deadlineOf(wishes, undefined);
  return {
    ...(publishBy !== undefined && { publish_by: new Date(publishBy), deadline_state: 'on-time' as const }),
    ...(wishes.publishNotBefore !== undefined && { publish_not_before: new Date(wishes.publishNotBefore) }),
  };
}
