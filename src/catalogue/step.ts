/** Steps of an asset's way, within a transaction: the row, its history, and whoever wants to hear of it. */
import { isDeepStrictEqual } from 'node:util';

import { sql, type Transaction, type UpdateObject } from 'kysely';

import { outputPrefix, type Job } from '../contracts/assets.js';
import { versionOf } from '../contracts/ids.js';
import type { AssetFacts, HistoryRow, Publication, Transition } from './catalogue.js';
import type { Tables } from './database.js';
import { wishesOf } from './deadline-columns.js';
import { durationOf } from './document-columns.js';
import { enqueue } from './outbox.js';
import { NO_TRAITS, traitsOf } from './similar.js';
import { judge, judgeRepair } from './transitions.js';
import { announceToWebhooks } from './webhooks.js';

type Tx = Transaction<Tables>;

const json = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value));

/** As it comes back from the database. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Every change of a row counts. */
export const TOUCHED = {
  revision: sql<number>`revision + 1`,
  updated_at: sql<Date>`clock_timestamp()`,
} as const;

/**
 * `Catalogue.transition` and `Catalogue.publish` within a transaction of the caller's, for what must happen together
 * with it. The row's lock makes reading, judging and writing one compare-and-swap.
 */
export async function step(
  tx: Tx,
  job: Job,
  transition: Transition | Publication,
  publishes = false,
): Promise<boolean> {
  if (await insert(tx, job, transition, publishes)) {
    await record(tx, job, transition, null);
    return true;
  }
  const now = await tx
    .selectFrom('assets')
    .select(['state', 'begun', 'kind', 'revision'])
    .where('id', '=', job.assetId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const verdict = judge(now, transition.to, job.generation);
  if (verdict !== 'refuse') await rewriteDocument(tx, job, transition, now.revision);
  if (verdict === 'apply') {
    await update(tx, job, transition, publishes);
    await record(tx, job, transition, now.state);
    return true;
  }
  const late = {
    ...(now.state !== 'deleted' && columnsOf(transition.facts)),
    // Only what the first time did not know yet.
    ...(verdict === 'repeat' && transition.kind && now.kind === null && { kind: transition.kind }),
  };
  if (Object.keys(late).length > 0) await set(tx, job.assetId, late);
  return verdict !== 'refuse';
}

/** `Catalogue.publish` of a repair. */
export async function repairStep(tx: Tx, job: Job, transition: Publication): Promise<boolean> {
  const now = await tx
    .selectFrom('assets')
    .select(['state', 'begun', 'generation', 'document', 'revision'])
    .where('id', '=', job.assetId)
    .forUpdate()
    .executeTakeFirst();
  if (!now || judgeRepair(now, job.generation) === 'refuse') return false;
  await rewriteDocument(tx, job, transition, now.revision);
  // An attempt whose answer got lost has written it already.
  if (now.state === transition.to && isDeepStrictEqual(now.document, plain(transition.document))) return true;
  await update(tx, job, transition, true);
  await record(tx, job, transition, now.state);
  return true;
}

/** Between reading for `asset.json` and this transition somebody changed what is said of the asset. */
async function rewriteDocument(tx: Tx, { assetId }: Job, { writtenFrom }: Transition, revision: number): Promise<void> {
  if (writtenFrom !== undefined && writtenFrom !== revision) await enqueue(tx, 'document', { assetId });
}

/** @returns false when the asset has a row already */
async function insert(tx: Tx, job: Job, transition: Transition, publishes: boolean): Promise<boolean> {
  const { source } = job;
  const inserted = await tx
    .insertInto('assets')
    .values({
      id: job.assetId,
      workflow_id: job.workflowId,
      bucket: source.bucket,
      key: source.key,
      version: versionOf(source),
      tenant: job.tenant,
      kind: transition.kind ?? null,
      state: transition.to,
      begun: job.generation,
      generation: publishes ? job.generation : 0,
      error: json(transition.error) ?? null,
      document: json(transition.document) ?? null,
      job: JSON.stringify(job),
      file_name: source.key.split('/').at(-1) || null,
      content_type: source.contentType ?? null,
      ...(job.metadata && { metadata: JSON.stringify(job.metadata) }),
      ...wishesOf(job),
      ...columnsOf({
        profile: job.profile,
        priority: job.priority,
        bytes: source.size,
        sourceSha256: source.sha256,
        ...transition.facts,
      }),
      ...(publishes && { ...publishedColumns(job, transition), first_published_at: sql<Date>`clock_timestamp()` }),
    })
    // Names no constraint: with several unique ones, racing inserts can meet at any of them.
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

async function update(tx: Tx, job: Job, transition: Transition, publishes: boolean): Promise<void> {
  const document = json(transition.document);
  await set(tx, job.assetId, {
    workflow_id: job.workflowId,
    state: transition.to,
    // Deleting speaks of the whole asset, whatever generation asks for it.
    begun: sql<number>`greatest(begun, ${job.generation})`,
    error: json(transition.error) ?? null,
    ...columnsOf(transition.facts),
    ...(transition.kind && { kind: transition.kind }),
    ...(transition.to === 'deleted' && { ...NO_TRAITS, ...NO_WORDS }),
    // A repair starts from a stored plan, which does not know all of its job.
    ...(transition.to !== 'deleted' && !isRepair(transition) && { job: JSON.stringify(job), profile: job.profile }),
    ...(publishes && {
      generation: job.generation,
      ...publishedColumns(job, transition),
      first_published_at: sql<Date>`coalesce(first_published_at, clock_timestamp())`,
    }),
    ...(document !== undefined && { document }),
  });
}

const isRepair = (transition: Transition | Publication): boolean =>
  'repair' in transition && transition.repair === true;

const set = (tx: Tx, assetId: string, columns: UpdateObject<Tables, 'assets'>): Promise<unknown> =>
  tx
    .updateTable('assets')
    .set({ ...columns, ...TOUCHED })
    .where('id', '=', assetId)
    .execute();

/** What is no longer said of a deleted asset. */
const NO_WORDS = { title: null, file_name: null, tags: sql<string[]>`'{}'`, metadata: '{}' } as const;

/** Only what the facts name. */
function columnsOf(facts: AssetFacts = {}) {
  const columns = {
    title: facts.title,
    file_name: facts.fileName,
    tags: facts.tags && [...facts.tags],
    metadata: json(facts.metadata),
    profile: facts.profile,
    priority: facts.priority,
    bytes: facts.bytes,
    content_type: facts.contentType,
    source_sha256: facts.sourceSha256,
    api_key: facts.apiKey,
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)) as Partial<{
    [K in keyof typeof columns]: NonNullable<(typeof columns)[K]>;
  }>;
}

function publishedColumns(job: Job, { document, outputsPrefix }: Partial<Publication>) {
  return {
    outputs_prefix: outputsPrefix ?? outputPrefix(job.assetId, job.generation),
    ...(document && { duration: durationOf(document), ...traitsOf(document) }),
    ...(document?.image && { source_sha256: document.image.sha256 }),
  };
}

async function record(tx: Tx, job: Job, transition: Transition, from: HistoryRow['from']): Promise<void> {
  await tx
    .insertInto('asset_history')
    .values({
      asset_id: job.assetId,
      from_state: from,
      to_state: transition.to,
      generation: job.generation,
      step: transition.by,
      error: json(transition.error) ?? null,
    })
    .execute();
  const { assetId, tenant, generation } = job;
  const { to: state, error } = transition;
  await announceToWebhooks(tx, `asset.${state}`, { assetId, tenant, generation, state, error });
}
