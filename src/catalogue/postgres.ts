/** The catalogue on PostgreSQL. Tables: `migrations/`. */
import type { Transaction } from 'kysely';

import type { Config } from '../config/index.js';
import type { Job } from '../contracts/assets.js';
import type { PublicError } from '../contracts/errors.js';
import { ASSET_COLUMNS, assetRow } from './asset-row.js';
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
import { findBySha256, findSimilar } from './similar.js';
import { repairStep, step } from './step.js';

class PostgresCatalogue implements Catalogue {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  transition(job: Job, transition: Transition): Promise<boolean> {
    return this.#within((tx) => step(tx, job, transition));
  }

  publish(job: Job, transition: Publication): Promise<boolean> {
    return this.#within((tx) =>
      transition.repair ? repairStep(tx, job, transition) : step(tx, job, transition, true),
    );
  }

  async find(assetId: string): Promise<AssetRow | undefined> {
    const row = await mapped(() =>
      this.#db.selectFrom('assets').select(ASSET_COLUMNS).where('id', '=', assetId).executeTakeFirst(),
    );
    return row && assetRow(row);
  }

  async findByWorkflow(workflowId: string): Promise<AssetRow | undefined> {
    const query = this.#db
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .where('workflow_id', '=', workflowId)
      .orderBy('created_at', 'desc');
    const row = await mapped(() => query.limit(1).executeTakeFirst());
    return row && assetRow(row);
  }

  async list({ limit, state, tenant }: Parameters<Catalogue['list']>[0]): Promise<AssetRow[]> {
    let query = this.#db
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(limit);
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

  #within<T>(use: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return mapped(() => this.#db.transaction().execute(use));
  }
}

/** Closing it closes the connections. */
export function createCatalogue(config: Config['catalogue']): Catalogue {
  return createCatalogueOn(connect(config));
}

/** On connections that others use too: `close` closes them for all. */
export function createCatalogueOn(db: Database): Catalogue {
  return new PostgresCatalogue(db);
}
