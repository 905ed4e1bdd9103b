/** The catalogue on PostgreSQL. Tables: `migrations/`. */
import { isDeepStrictEqual } from 'node:util';

import type { Selectable, Transaction } from 'kysely';

import type { Config } from '../config/index.js';
import type { Job } from '../contracts/assets.js';
import { versionOf } from '../contracts/ids.js';
import type { PublicError } from '../contracts/errors.js';
import type {
  AssetRow,
  Catalogue,
  HistoryRow,
  Publication,
  QuarantineRow,
  SimilarAsset,
  Transition,
} from './catalogue.js';
import { connect, mapped, type Database, type Tables } from './database.js';
import * as quarantine from './quarantine.js';
import { findBySha256, findSimilar, NO_TRAITS, traitsOf } from './similar.js';
import { judge, judgeRepair } from './transitions.js';

const json = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value));

/** As it comes back from the database. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

class PostgresCatalogue implements Catalogue {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  transition(job: Job, transition: Transition): Promise<boolean> {
    return this.#step(job, transition, false);
  }

  publish(job: Job, transition: Publication): Promise<boolean> {
    return transition.repair ? this.#repair(job, transition) : this.#step(job, transition, true);
  }

  async find(assetId: string): Promise<AssetRow | undefined> {
    const row = await mapped(() =>
      this.#db.selectFrom('assets').selectAll().where('id', '=', assetId).executeTakeFirst(),
    );
    return row && assetRow(row);
  }

  async findByWorkflow(workflowId: string): Promise<AssetRow | undefined> {
    const query = this.#db
      .selectFrom('assets')
      .selectAll()
      .where('workflow_id', '=', workflowId)
      .orderBy('created_at', 'desc');
    const row = await mapped(() => query.limit(1).executeTakeFirst());
    return row && assetRow(row);
  }

  async list({ limit, state, tenant }: Parameters<Catalogue['list']>[0]): Promise<AssetRow[]> {
    let query = this.#db.selectFrom('assets').selectAll().orderBy('created_at', 'desc').orderBy('id').limit(limit);
    if (state !== undefined) query = query.where('state', '=', state);
    if (tenant !== undefined) query = query.where('tenant', '=', tenant);
    return (await mapped(() => query.execute())).map(assetRow);
  }

  async history(assetId: string): Promise<HistoryRow[]> {
    const query = this.#db.selectFrom('asset_history').selectAll().where('asset_id', '=', assetId).orderBy('id');
    return (await mapped(() => query.execute())).map(({ at, from_state, to_state, generation, step, error }) => ({
      at,
      from: from_state,
      to: to_state,
      generation,
      by: step,
      error,
    }));
  }

  async findBySha256(tenant: string, sha256: string, limit: number): Promise<AssetRow[]> {
    return (await findBySha256(this.#db, tenant, sha256, limit)).map(assetRow);
  }

  async findSimilar(tenant: string, hash: string, maxDistance: number, limit: number): Promise<SimilarAsset[]> {
    const rows = await findSimilar(this.#db, tenant, hash, maxDistance, limit);
    return rows.map((row) => ({ asset: assetRow(row), distance: row.distance }));
  }

  quarantine(job: Pick<Job, 'assetId' | 'tenant'>, sha256: string, verdict: PublicError): Promise<void> {
    return quarantine.quarantine(this.#db, job, sha256, verdict);
  }

  quarantined(sha256: string): Promise<QuarantineRow | undefined> {
    return quarantine.quarantined(this.#db, sha256);
  }

  listQuarantine(limit: number): Promise<QuarantineRow[]> {
    return quarantine.listQuarantine(this.#db, limit);
  }

  liftQuarantine(sha256: string): Promise<boolean> {
    return quarantine.liftQuarantine(this.#db, sha256);
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }

  /** The row lock makes reading, judging and writing one compare-and-swap. */
  #step(job: Job, transition: Transition, publishes: boolean): Promise<boolean> {
    return mapped(() =>
      this.#db.transaction().execute(async (tx) => {
        if (await insert(tx, job, transition, publishes)) {
          await record(tx, job, transition, null);
          return true;
        }
        const now = await tx
          .selectFrom('assets')
          .select(['state', 'begun', 'kind'])
          .where('id', '=', job.assetId)
          .forUpdate()
          .executeTakeFirstOrThrow();
        const verdict = judge(now, transition.to, job.generation);
        if (verdict === 'apply') {
          await update(tx, job, transition, publishes);
          await record(tx, job, transition, now.state);
        } else if (verdict === 'repeat' && transition.kind && now.kind === null) {
          // Only what the first time did not know yet.
          await tx.updateTable('assets').set({ kind: transition.kind }).where('id', '=', job.assetId).execute();
        }
        return verdict !== 'refuse';
      }),
    );
  }

  #repair(job: Job, transition: Publication): Promise<boolean> {
    return mapped(() =>
      this.#db.transaction().execute(async (tx) => {
        const now = await tx
          .selectFrom('assets')
          .select(['state', 'begun', 'generation', 'document'])
          .where('id', '=', job.assetId)
          .forUpdate()
          .executeTakeFirst();
        if (!now || judgeRepair(now, job.generation) === 'refuse') return false;
        // An attempt whose answer got lost has written it already.
        if (now.state === transition.to && isDeepStrictEqual(now.document, plain(transition.document))) return true;
        await update(tx, job, transition, true);
        await record(tx, job, transition, now.state);
        return true;
      }),
    );
  }
}

/** @returns false when the asset has a row already */
async function insert(tx: Transaction<Tables>, job: Job, transition: Transition, publishes: boolean): Promise<boolean> {
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
      ...(publishes && transition.document && traitsOf(transition.document)),
    })
    // Names no constraint: with several unique ones, racing inserts can meet at any of them.
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

async function update(tx: Transaction<Tables>, job: Job, transition: Transition, publishes: boolean): Promise<void> {
  const document = json(transition.document);
  await tx
    .updateTable('assets')
    .set((eb) => ({
      workflow_id: job.workflowId,
      state: transition.to,
      // Deleting speaks of the whole asset, whatever generation asks for it.
      begun: eb.fn<number>('greatest', ['begun', eb.val(job.generation)]),
      error: json(transition.error) ?? null,
      updated_at: eb.fn<Date>('clock_timestamp'),
      ...(transition.kind && { kind: transition.kind }),
      ...(transition.to === 'deleted' && NO_TRAITS),
      ...(publishes && { generation: job.generation, ...(transition.document && traitsOf(transition.document)) }),
      ...(document !== undefined && { document }),
    }))
    .where('id', '=', job.assetId)
    .execute();
}

async function record(
  tx: Transaction<Tables>,
  job: Job,
  transition: Transition,
  from: HistoryRow['from'],
): Promise<void> {
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
}

function assetRow(row: Selectable<Tables['assets']>): AssetRow {
  return {
    id: row.id,
    workflowId: row.workflow_id,
    bucket: row.bucket,
    key: row.key,
    version: row.version,
    tenant: row.tenant,
    kind: row.kind,
    state: row.state,
    generation: row.generation,
    begun: row.begun,
    error: row.error,
    document: row.document,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function createCatalogue(config: Config['catalogue']): Catalogue {
  return new PostgresCatalogue(connect(config));
}
