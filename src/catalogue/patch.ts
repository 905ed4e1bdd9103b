/** Changes of what people say of an asset. */
import { sql } from 'kysely';

import type { Priority } from '../contracts/assets.js';
import { ASSET_COLUMNS, assetRow, type AssetRecord } from './asset-row.js';
import type { AssetRow } from './catalogue.js';
import { mapped, type Database } from './database.js';
import { enqueue } from './outbox.js';
import { TOUCHED } from './step.js';

/** Absent: stays as it is. */
export interface AssetPatch {
  /** null: none any more. */
  readonly title?: string | null | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Takes the place of all that was there. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly priority?: Priority | undefined;
  /** ISO 8601; null: none any more. */
  readonly publishBy?: string | null | undefined;
  readonly publishNotBefore?: string | null | undefined;
}

export type Patched =
  | { readonly outcome: 'patched'; readonly row: AssetRow }
  /** There is none, or it is another tenant's. */
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'deleted' }
  /** Not at the expected revision any more. */
  | { readonly outcome: 'changed'; readonly row: AssetRow };

/** @param revision the one that the change was made for; absent: any */
export function patchAsset(
  db: Database,
  tenant: string,
  assetId: string,
  revision: number | undefined,
  patch: AssetPatch,
): Promise<Patched> {
  return mapped(() => {
    const attempt = async (tx: Database): Promise<Patched> => {
      const now = await tx
        .selectFrom('assets')
        .select(ASSET_COLUMNS)
        .where('assets.id', '=', assetId)
        .where('tenant', '=', tenant)
        .forUpdate()
        .executeTakeFirst();
      if (!now) return { outcome: 'unknown' };
      if (now.state === 'deleted') return { outcome: 'deleted' };
      if (revision !== undefined && now.revision !== revision) return { outcome: 'changed', row: assetRow(now) };
      const { title, tags, metadata, priority, publishBy, publishNotBefore } = patch;
      const ofJob = JSON.parse(JSON.stringify({ priority, publishBy, publishNotBefore })) as Record<string, unknown>;
      const row = await tx
        .updateTable('assets')
        .set({
          ...TOUCHED,
          ...(title !== undefined && { title }),
          ...(tags && { tags: sql<string[]>`${[...tags]}::text[]` }),
          ...(metadata && { metadata: JSON.stringify(metadata) }),
          ...(priority && { priority }),
          ...deadlineColumns(now, patch),
          // Work that has not begun is begun by the job.
          ...(Object.keys(ofJob).length > 0 && {
            job: sql<string>`jsonb_strip_nulls(job || ${JSON.stringify(ofJob)}::jsonb)`,
          }),
        })
        .where('id', '=', assetId)
        .returning(ASSET_COLUMNS)
        .executeTakeFirstOrThrow();
      if (row.document) await enqueue(tx, 'document', { assetId });
      return { outcome: 'patched', row: assetRow(row) };
    };
    return db.isTransaction ? attempt(db) : db.transaction().execute(attempt);
  });
}

/** Another deadline begins anew: nothing is known of it yet. */
function deadlineColumns(now: AssetRecord, { publishBy, publishNotBefore }: AssetPatch) {
  const timeOf = (iso: string | null): Date | null => (iso === null ? null : new Date(iso));
  const by = publishBy === undefined ? undefined : timeOf(publishBy);
  const isOther = by !== undefined && by?.getTime() !== now.publish_by?.getTime();
  return {
    ...(isOther && { publish_by: by, deadline_state: by && ('on-time' as const), projected_at: null }),
    ...(publishNotBefore !== undefined && { publish_not_before: timeOf(publishNotBefore) }),
  };
}
