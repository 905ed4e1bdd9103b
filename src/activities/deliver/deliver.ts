/** Hands a published asset to one target, by a publisher that is kept ready. */
import { findDeliveries, noteDelivered, noteRefused, type Delivery } from '../../catalogue/deliveries.js';
import type { Delivered, DeliveryRequest } from '../../contracts/activities.js';
import { outputPrefix } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import { metrics } from '../../metrics/index.js';
import type { ActivityContext } from '../context.js';
import { settleDeadline } from '../deadlines/publish-deadline.js';
import { activity, assertAlive, type ActivityScope } from '../scope.js';
import type { Publishers } from './publishers.js';
import type { Parcel } from './target.js';
import { Refused } from './target.js';

type Needs = Pick<ActivityContext, 'logger' | 'catalogue' | 'db' | 'results' | 'targets'>;

export function createDeliver(context: Needs) {
  const { logger, db, targets } = context;
  return activity(logger, async (scope, request: DeliveryRequest): Promise<Delivered> => {
    const { target } = request;
    const publishers = targets.get(target);
    const delivery = (await findDeliveries(db, request)).find((one) => one.target === target);
    // An attempt whose answer got lost.
    if (delivery?.state === 'delivered') {
      const at = delivery.deliveredAt!.toISOString();
      await tell(context, request, at);
      return { target, at, waitedSeconds: 0 };
    }
    try {
      // What nobody receives need not be there.
      const isExercise = publishers.target.kind === 'simulated';
      const parcel = isExercise ? undefined : await parcelOf(context, request, delivery);
      const delivered = await hand(publishers, scope, request, parcel);
      if (isExercise && !delivery) return delivered;
      assertAlive();
      if (delivery) await noteDelivered(db, request, delivery, new Date(delivered.at));
      await tell(context, request, delivered.at);
      scope.logger.info('delivered', { assetId: request.assetId, ...delivered });
      return delivered;
    } catch (error) {
      if (!MediaError.is(error) || error.code !== 'TARGET_UNAVAILABLE' || scope.signal.aborted) throw error;
      assertAlive();
      await noteRefused(db, request, target, error.message);
      await settle(context, request);
      throw error;
    }
  });
}

/** Other services, and whoever waits for the deadline. */
async function tell(context: Needs, request: DeliveryRequest, deliveredAt: string): Promise<void> {
  const { assetId, generation, tenant, target } = request;
  const row = await context.catalogue.find(assetId);
  if (row)
    await context.results.delivery({ assetId, workflowId: row.workflowId, generation, tenant, target, deliveredAt });
  await settle(context, request);
}

/** @throws MediaError TARGET_UNAVAILABLE; the signal's reason */
async function hand(
  publishers: Publishers,
  scope: ActivityScope,
  { assetId, target, reservation, publishBy }: DeliveryRequest,
  parcel?: Parcel,
): Promise<Delivered> {
  const { signal, logger } = scope;
  const { kind } = publishers.target;
  scope.report({ step: 'deliver', what: `wait for ${target}`, percent: 0 });
  const by = publishBy === undefined ? Infinity : Date.parse(publishBy);
  const { publisher, waitedSeconds, end } = await publishers.take(reservation ?? assetId, by, signal);
  scope.report({ step: 'deliver', what: target, percent: 50 });
  const started = performance.now();
  const over = (outcome: 'ok' | 'failed'): void => {
    end(outcome === 'ok');
    metrics.deliveries.observe({ target: kind, outcome }, (performance.now() - started) / 1000);
  };
  try {
    await publisher.publish(parcel as Parcel, signal);
  } catch (error) {
    over('failed');
    if (!(error instanceof Refused)) throw error;
    logger.warn('refused by a target', { assetId, target, reason: error.message, cause: error.cause });
    throw new MediaError('TARGET_UNAVAILABLE', error.message, { cause: error });
  }
  over('ok');
  return { target, at: new Date().toISOString(), waitedSeconds };
}

/** @throws MediaError OBJECT_GONE when this generation is not what is published */
async function parcelOf(
  { catalogue }: Needs,
  { assetId, generation, target, tenant }: DeliveryRequest,
  delivery: Delivery | undefined,
): Promise<Parcel> {
  const row = await catalogue.find(assetId);
  if (!row?.document || row.generation !== generation || row.state === 'deleted')
    throw new MediaError('OBJECT_GONE', 'A later version of it has been published, or it was deleted.');
  return {
    assetId,
    generation,
    tenant,
    id: `${assetId}-g${generation}-${target}-${delivery?.requestedAt.getTime() ?? 0}`,
    document: row.document,
    prefix: row.outputsPrefix ?? outputPrefix(assetId, generation),
  };
}

/** A deadline is met when all that is required has answered; where one of them is late, it is missed already. */
async function settle(context: Needs, { assetId, generation, tenant }: DeliveryRequest): Promise<void> {
  const required = (await findDeliveries(context.db, { assetId, generation })).filter((one) => one.required);
  if (required.length === 0) return;
  const row = await context.catalogue.find(assetId);
  if (!row) return;
  const open = required.filter(({ state }) => state !== 'delivered');
  const now = Date.now();
  if (open.length > 0 && !(row.publishBy && row.publishBy.getTime() < now)) return;
  const at = open.length > 0 ? now : Math.max(...required.map(({ deliveredAt }) => deliveredAt!.getTime()));
  await settleDeadline(context, { assetId, generation, tenant, workflowId: row.workflowId }, new Date(at));
}
