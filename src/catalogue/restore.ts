/** Rows from what the store says: how the catalogue is rebuilt. */
import { sql, type Transaction } from 'kysely';

import {
  outputPrefix,
  type AssetDocument,
  type CatalogueEntry,
  type HistoryEntry,
  type Job,
} from '../contracts/assets.js';
import { isInTime } from '../contracts/deadlines.js';
import { versionOf } from '../contracts/ids.js';
import { mapped, type Database, type Tables } from './database.js';
import { durationOf } from './document-columns.js';
import { traitsOf } from './similar.js';

/** An `asset.json`, with the generation that it was found in. */
export interface StoredDocument {
  readonly generation: number;
  readonly document: AssetDocument;
}

/** Of documents from before they said so. */
export interface Defaults {
  readonly tenant: string;
  readonly profile: string;
}

export interface Restored {
  /** The latest one, which `document.state` speaks of. */
  readonly latest: StoredDocument;
  readonly published?: StoredDocument | undefined;
  /** ISO 8601. Of any generation. */
  readonly firstPublishedAt?: string | undefined;
  readonly entry: CatalogueEntry;
  readonly history: readonly HistoryEntry[];
}

/** Who wrote the line of history that stands for what is not known any more. */
export const RESTORED_BY = 'rebuild-catalogue';

/**
 * Puts together what all generations of an asset say. Pure.
 *
 * @param found at least one
 */
export function restored(found: readonly StoredDocument[], defaults: Defaults): Restored {
  const byGeneration = [...found].sort((one, other) => one.generation - other.generation);
  const latest = byGeneration.at(-1)!;
  const all = byGeneration.filter(({ document: { state } }) => state === 'ready' || state === 'partial');
  const entries = byGeneration.flatMap(({ document }) => document.catalogue ?? []);
  const entry = entries.sort((one, other) => one.revision - other.revision).at(-1) ?? entryOf(latest, defaults);
  const { readyAt: firstPublishedAt } = all[0]?.document.timings ?? {};
  return { latest, published: all.at(-1), firstPublishedAt, entry, history: historyOf(entry, latest) };
}

function entryOf({ document: { source, timings } }: StoredDocument, { tenant, profile }: Defaults): CatalogueEntry {
  return {
    ...{ tenant, profile, priority: 3, tags: [], metadata: {}, revision: 1, history: [] },
    fileName: source.key.split('/').at(-1),
    bytes: source.size,
    createdAt: timings.startedAt,
  };
}

/** A document is written before the transition that it tells of. */
function historyOf({ history }: CatalogueEntry, { generation, document }: StoredDocument): HistoryEntry[] {
  const last = history.at(-1);
  const { state: to, error, timings } = document;
  if (last?.to === to && last.generation === generation) return [...history];
  const at = timings.readyAt ?? last?.at ?? timings.startedAt;
  return [...history, { at, from: last?.to, to, generation, by: RESTORED_BY, error }];
}

/** @returns false when the asset has a row: it knows better, and stays */
export function restoreAsset(db: Database, found: Restored): Promise<boolean> {
  const { latest, published, entry, history } = found;
  const job = jobOf(latest, entry);
  const { source } = job;
  const { catalogue: _kept, ...document } = (published ?? latest).document;
  const { kind, state, error } = latest.document;
  const row = {
    ...{ id: job.assetId, workflow_id: job.workflowId, kind, state, tenant: entry.tenant },
    ...{ bucket: source.bucket, key: source.key, version: versionOf(source) },
    ...{ begun: latest.generation, generation: published?.generation ?? 0 },
    error: error ? JSON.stringify(error) : null,
    document: JSON.stringify(document),
    title: entry.title ?? null,
    file_name: entry.fileName ?? null,
    tags: [...entry.tags],
    metadata: JSON.stringify(entry.metadata),
    ...{ profile: entry.profile, priority: entry.priority },
    // The transition that was still to come counted, too.
    revision: entry.revision + (history.length > entry.history.length ? 1 : 0),
    bytes: entry.bytes ?? null,
    content_type: entry.contentType ?? null,
    job: JSON.stringify(job),
    api_key: entry.apiKey ?? null,
    legal_hold: entry.legalHold ?? false,
    source_sha256: entry.sourceSha256 ?? document.image?.sha256 ?? null,
    outputs_prefix: published ? (document.outputsPrefix ?? outputPrefix(job.assetId, published.generation)) : null,
    ...(published && { duration: durationOf(document), ...traitsOf(document) }),
    ...deadlineColumns(found),
    source_removed_at: entry.sourceRemovedAt === undefined ? null : time(entry.sourceRemovedAt),
    created_at: time(entry.createdAt),
    updated_at: time(history.at(-1)!.at),
  };
  return mapped(() =>
    db.transaction().execute(async (tx) => {
      const inserted = await tx
        .insertInto('assets')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .executeTakeFirst();
      if (!inserted) return false;
      await tx
        .insertInto('asset_history')
        .values(
          history.map(({ at, from, to, generation, by, error: why }) => ({
            ...{ asset_id: job.assetId, at: time(at), from_state: from ?? null, to_state: to, generation, step: by },
            error: why ? JSON.stringify(why) : null,
          })),
        )
        .execute();
      await restoreContents(tx, found);
      return true;
    }),
  );
}

/** An asset that lives already and stands for the same bytes may have been faster. */
async function restoreContents(tx: Transaction<Tables>, { latest, entry }: Restored): Promise<void> {
  const { id, state } = latest.document;
  const contents = entry.contents ?? [];
  if (contents.length === 0 || (state !== 'ready' && state !== 'partial')) return;
  await tx
    .insertInto('contents')
    .values(contents.map(({ sha256, profile }) => ({ tenant: entry.tenant, sha256, profile, asset_id: id })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What became of it follows from when it was published. */
function deadlineColumns({ firstPublishedAt, entry: { publishBy, publishNotBefore } }: Restored) {
  const isMet = publishBy && firstPublishedAt && isInTime(firstPublishedAt, { publishBy, publishNotBefore });
  return {
    ...(firstPublishedAt !== undefined && { first_published_at: time(firstPublishedAt) }),
    ...(publishNotBefore !== undefined && { publish_not_before: time(publishNotBefore) }),
    ...(publishBy !== undefined && {
      publish_by: time(publishBy),
      deadline_state:
        firstPublishedAt === undefined ? ('on-time' as const) : isMet ? ('met' as const) : ('missed' as const),
      ...(firstPublishedAt !== undefined && { projected_at: time(firstPublishedAt) }),
    }),
  };
}

/** As exact as it was written. */
const time = (iso: string) => sql<Date>`${iso}::timestamptz`;

/** As its workflow was given it, as far as it is known. */
const jobOf = ({ generation, document }: StoredDocument, entry: CatalogueEntry): Job => ({
  assetId: document.id,
  workflowId: document.workflowId,
  generation,
  source: document.source,
  tenant: entry.tenant,
  profile: entry.profile,
  priority: entry.priority,
  uploadedAt: document.timings.uploadedAt,
  metadata: entry.metadata,
  publishBy: entry.publishBy,
  publishNotBefore: entry.publishNotBefore,
});
