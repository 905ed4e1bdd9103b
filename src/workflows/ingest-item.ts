import { CancellationScope, isCancellation, log, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';

import type { PublishActivities, Reservation, ReservationActivities } from '../contracts/activities.js';
import { deadlineOf } from '../contracts/deadlines.js';
import {
  isHopeless,
  type EncodeTimes,
  type IngestActivities,
  type IngestItem,
  type ItemOutcome,
} from '../contracts/ingest.js';
import { DEFAULT_QUEUES, type QueueNames } from '../contracts/names.js';
import { EncoderPlace } from './encoder-place.js';
import { publicErrorOf } from './ending.js';
import { encodeFile } from './ingest-file.js';
import { policies, type Setting } from './policies.js';

type Encoded = Pick<ItemOutcome, 'startedAt' | 'encodedAt' | 'publishBy' | 'wasAtRisk'>;

/**
 * One item of an ingest, from its place in the line to its target. Its result says what became of it; it does not fail
 * of what happened to the item.
 *
 * Timeouts count from the start of encoding, so it costs nothing to wait before: encoding starts when a place is free and
 * a publisher is sure to be ready in time, not earlier.
 */
export async function ingestItem(item: IngestItem, queues: QueueNames = DEFAULT_QUEUES): Promise<ItemOutcome> {
  const setting: Setting = { tenant: item.tenant, priority: item.priority, queues };
  const place = new EncoderPlace(item);
  let wasAtRisk = isHopeless(item, Date.now());
  let encoded: Encoded | undefined;
  let reservation: Reservation | undefined;
  try {
    await place.take(wasAtRisk);
    if (item.work.kind === 'file') {
      const outcome = await encodeFile(item, item.work, setting);
      if (!outcome.published || !item.target) return outcome;
      encoded = outcome;
      wasAtRisk = outcome.wasAtRisk;
    } else {
      reservation = await reserve(item, item.work.seconds, setting);
      const times = await simulate(item, item.work.seconds, setting);
      encoded = { ...times, publishBy: deadlineOf(item, times.startedAt), wasAtRisk };
    }
    // While it is being delivered; the end waits for it.
    void place.release();
    await untilAllowed(item);
    const publishedAt = await deliver(item, encoded.publishBy, reservation, setting);
    return { encoded: true, published: true, ...encoded, publishedAt };
  } catch (error) {
    if (reservation) await giveBack(item, reservation, setting);
    if (isCancellation(error)) throw error;
    return { encoded: encoded !== undefined, published: false, wasAtRisk, ...encoded, error: publicErrorOf(error) };
  } finally {
    await place.release();
  }
}

/** @returns undefined where there is nothing to be in time for */
async function reserve(item: IngestItem, encodeSeconds: number, setting: Setting): Promise<Reservation | undefined> {
  const { target, publicationTimeout = Infinity, publishBy } = item;
  const left = publishBy === undefined ? Infinity : (Date.parse(publishBy) - Date.now()) / 1000;
  const timeoutSeconds = Math.min(publicationTimeout, left);
  if (target === undefined || timeoutSeconds === Infinity) return undefined;
  const { reservePublisher } = proxyActivities<ReservationActivities>(policies.reserve(setting));
  return reservePublisher({ id: workflowInfo().workflowId, target, encodeSeconds, timeoutSeconds });
}

async function giveBack({ target = '' }: IngestItem, { id, queue }: Reservation, setting: Setting): Promise<void> {
  const keeper = proxyActivities<ReservationActivities>(policies.byKeeper(setting, queue, 'give a publisher back'));
  try {
    await CancellationScope.nonCancellable(() => keeper.releasePublisher({ id, target }));
  } catch {
    // Whoever kept it is gone, and it with them.
  }
}

function simulate({ id }: IngestItem, seconds: number, setting: Setting): Promise<EncodeTimes> {
  const { simulateEncode } = proxyActivities<IngestActivities>(policies.simulated(setting, seconds, `encode ${id}`));
  return simulateEncode({ id, seconds });
}

async function untilAllowed({ publishNotBefore }: IngestItem): Promise<void> {
  const wait = publishNotBefore === undefined ? 0 : Date.parse(publishNotBefore) - Date.now();
  if (wait > 0) await sleep(wait);
}

/** @returns ISO 8601: when the target had answered */
async function deliver(
  { id, tenant, target, work }: IngestItem,
  publishBy: string | undefined,
  reservation: Reservation | undefined,
  setting: Setting,
): Promise<string> {
  if (target === undefined) return new Date().toISOString();
  const assetId = work.kind === 'file' ? work.job.assetId : id;
  const request = { assetId, generation: 1, tenant, target, publishBy, reservation: reservation?.id };
  if (reservation) {
    try {
      const keeper = proxyActivities<PublishActivities>(policies.byKeeper(setting, reservation.queue, 'deliver'));
      return (await keeper.deliver(request)).at;
    } catch (error) {
      // The process that kept it ready is gone, or is in trouble: any other will do.
      if (isCancellation(error)) throw error;
      log.warn('not delivered by who kept a publisher ready', { target, error });
    }
  }
  return (await proxyActivities<PublishActivities>(policies.deliver(setting)).deliver(request)).at;
}
