/** What published assets are delivered to: wanted with the switch of the published generation, kept until they are made. */
import { sql, type Transaction, type UpdateQueryBuilder, type UpdateResult } from 'kysely';

import type { DeliveryState, WantedTarget } from '../contracts/targets.js';
import { mapped, type Database, type Tables } from './database.js';
import { TOUCHED } from './step.js';

export interface Delivery {
  readonly target: string;
  readonly required: boolean;
  readonly state: DeliveryState;
  /** Attempts that failed. */
  readonly failures: number;
  /** Of the last one, a sentence. */
  readonly error: string | null;
  /** When the publication was made that is to be delivered. */
  readonly requestedAt: Date;
  readonly deliveredAt: Date | null;
}

interface Generation {
  readonly assetId: string;
  readonly generation: number;
}

/** Once for each publication: after an upgrade or a repair all of it is to be delivered again. */
export async function wantDeliveries(
  db: Database,
  { assetId, generation }: Generation,
  targets: readonly WantedTarget[],
): Promise<void> {
  if (targets.length === 0) return;
  const rows = targets.map(({ name, required }) => ({
    asset_id: assetId,
    generation,
    target: name,
    required,
    state: 'pending' as const,
  }));
  const query = db
    .insertInto('target_deliveries')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['asset_id', 'generation', 'target']).doUpdateSet((excluded) => ({
        state: 'pending',
        required: excluded.ref('excluded.required'),
        requested_at: sql<Date>`date_trunc('milliseconds', now())`,
        failures: 0,
        error: null,
        delivered_at: null,
      })),
    );
  await mapped(() => query.execute());
}

/** Sorted by target. */
export async function findDeliveries(db: Database, { assetId, generation }: Generation): Promise<Delivery[]> {
  const query = db
    .selectFrom('target_deliveries')
    .select(['target', 'required', 'state', 'failures', 'error'])
    .select(['requested_at as requestedAt', 'delivered_at as deliveredAt'])
    .where('asset_id', '=', assetId)
    .where('generation', '=', generation)
    .orderBy('target');
  return mapped(() => query.execute());
}

/** @param delivery of the publication that was delivered: what was published since is not said to be */
export function noteDelivered(
  db: Database,
  of: Generation,
  { target, requestedAt }: Pick<Delivery, 'target' | 'requestedAt'>,
  at: Date,
): Promise<void> {
  return note(db, of, (tx) =>
    tx
      .updateTable('target_deliveries')
      .set({ state: 'delivered', delivered_at: at, error: null })
      .where('target', '=', target)
      .where('requested_at', '=', requestedAt),
  );
}

/** @param error a sentence */
export function noteRefused(db: Database, of: Generation, target: string, error: string): Promise<void> {
  return note(db, of, (tx) =>
    tx
      .updateTable('target_deliveries')
      .set({ state: 'failing', failures: sql<number>`failures + 1`, error })
      .where('target', '=', target)
      .where('state', '<>', 'delivered'),
  );
}

/** It is a change of the asset, too, for whoever watches that. */
async function note(
  db: Database,
  { assetId, generation }: Generation,
  change: (
    tx: Transaction<Tables>,
  ) => UpdateQueryBuilder<Tables, 'target_deliveries', 'target_deliveries', UpdateResult>,
): Promise<void> {
  await mapped(() =>
    db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await change(tx)
        .where('asset_id', '=', assetId)
        .where('generation', '=', generation)
        .executeTakeFirst();
      if (numUpdatedRows > 0n) await tx.updateTable('assets').set(TOUCHED).where('id', '=', assetId).execute();
    }),
  );
}
