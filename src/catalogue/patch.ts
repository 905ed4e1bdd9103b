/** Changes of what people say of an asset. */
import { sql } from 'kysely';

import type { Priority } from '../contracts/assets.js';
import { ASSET_COLUMNS, assetRow } from './asset-row.js';
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
      const { title, tags, metadata, priority } = patch;
      const row = await tx
        .updateTable('assets')
        .set({
          ...TOUCHED,
          ...(title !== undefined && { title }),
          ...(tags && { tags: sql<string[]>`${[...tags]}::text[]` }),
          ...(metadata && { metadata: JSON.stringify(metadata) }),
          // Work that has not begun is begun by the job.
          ...(priority && { priority, job: sql<string>`jsonb_set(job, '{priority}', to_jsonb(${priority}::integer))` }),
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
