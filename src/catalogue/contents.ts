/** Which asset stands for which bytes: of the same bytes, uploaded twice by a tenant, the outputs are made once. */
import { sql, type Transaction } from 'kysely';

import type { Job } from '../contracts/assets.js';
import { ASSET_COLUMNS, assetRow } from './asset-row.js';
import type { AssetRow, Publication } from './catalogue.js';
import { mapped, type Database, type Tables } from './database.js';
import { enqueue } from './outbox.js';
import { step, TOUCHED } from './step.js';

type Tx = Transaction<Tables>;

export interface Content {
  readonly tenant: string;
  /** Of the uploaded bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Name of the profile, and whatever else decides what is made of the bytes. */
  readonly profile: string;
}

export type Claim =
  /** Nobody else makes it: this job is to. */
  | { readonly outcome: 'mine' }
  /** It is made already. */
  | { readonly outcome: 'published'; readonly holder: AssetRow }
  /** Another asset is on its way. */
  | { readonly outcome: 'busy'; readonly holder: AssetRow };

/**
 * Asks for the right to make the outputs of these bytes. The asset that has it keeps it while it lives, unless nothing
 * came of it. The job's asset must have a row.
 */
export function claimContent(db: Database, content: Content, job: Job): Promise<Claim> {
  return mapped(async () => {
    for (;;) {
      const claim = await db.transaction().execute((tx) => claimIn(tx, content, job));
      if (claim) return claim;
    }
  });
}

/** Rows of assets are locked before rows of contents, here as everywhere. @returns undefined when it changed meanwhile */
async function claimIn(tx: Tx, content: Content, { assetId, profile }: Job): Promise<Claim | undefined> {
  const inserted = await tx
    .insertInto('contents')
    .values({ ...content, asset_id: assetId })
    .onConflict((conflict) => conflict.doNothing())
    .returning('asset_id')
    .executeTakeFirst();
  if (inserted) return { outcome: 'mine' };
  const known = await entry(tx, content).executeTakeFirst();
  if (!known) return undefined;
  if (known.asset_id === assetId) return { outcome: 'mine' };
  const holder = assetRow(
    await tx
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .where('id', '=', known.asset_id)
      .forShare()
      .executeTakeFirstOrThrow(),
  );
  const now = await entry(tx, content).forUpdate().executeTakeFirst();
  if (now?.asset_id !== holder.id) return undefined;
  if (holder.profile === profile) {
    if (holder.state === 'ready' || holder.state === 'partial') return { outcome: 'published', holder };
    if (!['failed', 'cancelled', 'deleted'].includes(holder.state)) return { outcome: 'busy', holder };
  }
  // Nothing came of it, or it is something else by now.
  await tx
    .updateTable('contents')
    .set({ asset_id: assetId })
    .where((eb) => eb.and(content))
    .execute();
  return { outcome: 'mine' };
}

const entry = (tx: Tx, content: Content) =>
  tx
    .selectFrom('contents')
    .select('asset_id')
    .where((eb) => eb.and(content));

/**
 * Publishes a job by what another asset has published, in one step with making sure that it still is.
 *
 * @param holder as it was when `publication` was made of it
 * @returns `stale` when the holder has changed since, `refused` when the catalogue would refuse any publication
 */
export function adoptOutputs(
  db: Database,
  job: Job,
  publication: Publication,
  holder: AssetRow,
): Promise<'adopted' | 'refused' | 'stale'> {
  return mapped(() =>
    db.transaction().execute(async (tx) => {
      const now = await tx
        .selectFrom('assets')
        .select(['state', 'revision', 'outputs_prefix'])
        .where('id', '=', holder.id)
        .forShare()
        .executeTakeFirst();
      const isSame = now?.revision === holder.revision && now.state !== 'deleted' && now.outputs_prefix !== null;
      if (!isSame) return 'stale';
      const won = await step(tx, job, { ...publication, outputsPrefix: now.outputs_prefix! }, true);
      return won ? 'adopted' : 'refused';
    }),
  );
}

/** An asset that goes leaves what it stands for to one that plays the same outputs; else the next upload makes them anew. */
export async function passOn(tx: Tx, { id, outputsPrefix }: AssetRow): Promise<void> {
  if (outputsPrefix !== null) {
    const { rows } = await sql<{ asset_id: string }>`
      update contents set asset_id = twin.id
      from (
        select distinct on (source_sha256) id, source_sha256 from assets
        where outputs_prefix = ${outputsPrefix} and id <> ${id} and state in ('ready', 'partial')
        order by source_sha256, created_at
      ) twin
      where contents.asset_id = ${id} and contents.sha256 = twin.source_sha256
      returning contents.asset_id`.execute(tx);
    for (const assetId of new Set(rows.map(({ asset_id: heir }) => heir))) await enqueue(tx, 'document', { assetId });
  }
  await tx.deleteFrom('contents').where('asset_id', '=', id).execute();
}

/** Living assets that play what another one made, oldest first. @param prefix where it is, with the slash */
export async function twinsOf(db: Database, prefix: string, owner: string): Promise<AssetRow[]> {
  const query = db
    .selectFrom('assets')
    .select(ASSET_COLUMNS)
    .where('outputs_prefix', '=', prefix)
    .where('id', '<>', owner)
    .where('state', 'in', ['ready', 'partial'])
    .orderBy('created_at');
  return (await mapped(() => query.execute())).map(assetRow);
}

/** Whether the tenant has another living asset of exactly so many bytes: the same bytes may be there already. */
export async function hasSameSize(db: Database, { tenant, assetId }: Job, bytes: number): Promise<boolean> {
  const query = db
    .selectFrom('assets')
    .select('id')
    .where('tenant', '=', tenant)
    // As the index has it.
    .where(sql<number>`coalesce(bytes, 0)`, '=', bytes)
    .where('id', '<>', assetId)
    .where('state', '<>', 'deleted')
    .limit(1);
  return (await mapped(() => query.executeTakeFirst())) !== undefined;
}

/**
 * Found out after the asset had begun: later uploads of the same bytes find it by this. After `claimContent`, so that
 * `asset.json` says both, even where it was written already.
 */
export async function noteSha256(db: Database, assetId: string, sha256: string): Promise<void> {
  await mapped(() =>
    db.transaction().execute(async (tx) => {
      const noted = await tx
        .updateTable('assets')
        .set({ source_sha256: sha256, ...TOUCHED })
        .where('id', '=', assetId)
        .where('state', '<>', 'deleted')
        .returning(({ eb }) => eb('document', 'is not', null).as('isTold'))
        .executeTakeFirst();
      if (noted?.isTold) await enqueue(tx, 'document', { assetId });
    }),
  );
}
