/** Assets that wait for something which may never come. */
import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';

import type { AssetRow } from '../../catalogue/catalogue.js';
import { forgetKeys } from '../../catalogue/idempotency.js';
import { jobOf } from '../../catalogue/lifecycle.js';
import {
  noteSwept,
  playedPlaces,
  purgeAgain,
  renewedAssets,
  stalledAssets,
  startAgain,
} from '../../catalogue/strays.js';
import { pruneDeliveries } from '../../catalogue/webhooks.js';
import { outputPrefix } from '../../contracts/assets.js';
import { ERRORS, type PublicError } from '../../contracts/errors.js';
import type { Counts } from '../../contracts/lifecycle.js';
import { announceState } from '../announce.js';
import type { ActivityContext } from '../context.js';
import { removeBelow } from '../lifecycle/remove-below.js';
import { activity, assertAlive, type ActivityScope } from '../scope.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'catalogue' | 'db' | 'results'>;

const PAGE = 200;
/** An upload's workflow starts within moments, unless its event was lost. */
const STALLED_SECONDS = 300;
/** A deletion that takes longer is tried again by its own workflow, unless that was never started. */
const UNPURGED_SECONDS = 600;
/** Whoever began to watch a generation before there was a newer one has seen it by then. */
const RENEWED_SECONDS = 86_400;
/** What was sent to webhooks can be looked up for so long. Days. */
const DELIVERY_DAYS = 30;

export function createSweepAssets(context: Needs) {
  const { logger, db } = context;
  return activity(logger, async (scope): Promise<Counts> => {
    const client = Context.current().client;
    const counts: Record<string, number> = { started: 0, ended: 0, generations: 0 };
    const count = (what: string | undefined): void => {
      if (what !== undefined) counts[what] = (counts[what] ?? 0) + 1;
    };
    for await (const row of paged((after) => stalledAssets(db, STALLED_SECONDS, after, PAGE)))
      count(await wake(context, scope, client, row));
    for await (const row of paged((after) => renewedAssets(db, RENEWED_SECONDS, after, PAGE)))
      count(await removeOld(context, scope, row));
    assertAlive();
    const deliveries = await pruneDeliveries(db, new Date(Date.now() - DELIVERY_DAYS * 86_400_000));
    return { ...counts, purges: await purgeAgain(db, UNPURGED_SECONDS), deliveries, keys: await forgetKeys(db) };
  });
}

async function* paged(read: (after: string) => Promise<AssetRow[]>): AsyncGenerator<AssetRow> {
  for (let after = ''; ;) {
    const rows = await read(after);
    yield* rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)!.id;
  }
}

/** Whatever it waits for: a workflow that was never started is, and one that was ended by force has its end written down. */
async function wake(
  context: Needs,
  { signal, logger, info }: ActivityScope,
  client: Client,
  row: AssetRow,
): Promise<'started' | 'ended' | undefined> {
  signal.throwIfAborted();
  assertAlive();
  const status = await statusOf(client, row.workflowId);
  if (status === 'RUNNING' || status === 'CONTINUED_AS_NEW') return undefined;
  if (status === undefined) {
    if (!(await startAgain(context.db, row.id))) return undefined;
    logger.warn('its workflow was never started, or is forgotten: once more', { assetId: row.id, state: row.state });
    return 'started';
  }
  const job = jobOf(row);
  const code = status === 'CANCELLED' ? 'CANCELLED' : 'INTERNAL';
  const error: PublicError = { code, message: ERRORS[code].sentence };
  const to = code === 'CANCELLED' ? 'cancelled' : 'failed';
  const isFirst = await announceState(context, job, { to, by: info.activityType, kind: row.kind, error });
  if (!isFirst) return undefined;
  const shelf = { store: context.store, bucket: context.config.storage.mediaBucket, signal };
  await removeBelow(shelf, outputPrefix(job.assetId, job.generation));
  logger.warn(`its workflow has ended without a word: ${to}`, { assetId: row.id, status });
  return 'ended';
}

/** @returns undefined where Temporal knows of none */
async function statusOf(client: Client, workflowId: string): Promise<string | undefined> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Generations before the one that is published, but for those that other assets play. */
async function removeOld(
  { config, store, db }: Needs,
  { signal, logger }: ActivityScope,
  { id, generation }: AssetRow,
): Promise<'generations' | undefined> {
  signal.throwIfAborted();
  const old = Array.from({ length: generation - 1 }, (_, index) => outputPrefix(id, index + 1));
  const played = await playedPlaces(db, old);
  let removed = 0;
  for (const prefix of old) {
    if (!played.has(prefix))
      removed += await removeBelow({ store, bucket: config.storage.mediaBucket, signal }, prefix);
  }
  if (played.size === 0) await noteSwept(db, id, generation);
  if (removed === 0) return undefined;
  logger.info('earlier generations removed', { assetId: id, generation, objects: removed });
  return 'generations';
}
