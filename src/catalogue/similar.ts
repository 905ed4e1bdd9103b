/** Finds images again by what they are: their bytes, or their looks. */
import { sql, type RawBuilder, type Selectable } from 'kysely';

import type { AssetDocument } from '../contracts/assets.js';
import { mapped, type Database, type Tables } from './database.js';

type Row = Selectable<Tables['assets']>;

export function findBySha256(db: Database, tenant: string, sha256: string, limit: number): Promise<Row[]> {
  const query = db
    .selectFrom('assets')
    .selectAll()
    .where('sha256', '=', sha256)
    .where('tenant', '=', tenant)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(limit);
  return mapped(() => query.execute());
}

/** @param hash 16 hexadecimal digits. @returns nearest first */
export function findSimilar(
  db: Database,
  tenant: string,
  hash: string,
  maxDistance: number,
  limit: number,
): Promise<(Row & { distance: number })[]> {
  const distance = sql<number>`bit_count(perceptual_hash # ${bitsOf(hash)})::integer`;
  const query = db
    // Reads nothing but the index; rows, with their documents, are fetched of the nearest alone. Materialised, because
    // the planner takes a third of all rows to be near, and would rather read the whole table.
    .with(
      (cte) => cte('near').materialized(),
      (from) =>
        from
          .selectFrom('assets')
          .select(['id', distance.as('distance')])
          .where('tenant', '=', tenant)
          .where('perceptual_hash', 'is not', null)
          .where(distance, '<=', maxDistance)
          .orderBy('distance')
          .orderBy('id')
          .limit(limit),
    )
    .selectFrom('near')
    .innerJoin('assets', 'assets.id', 'near.id')
    .selectAll('assets')
    .select('near.distance')
    .orderBy('distance')
    .orderBy('created_at', 'desc')
    .orderBy('assets.id');
  return mapped(() => query.execute());
}

/** What a deleted asset is no longer found by. */
export const NO_TRAITS = { sha256: null, perceptual_hash: null } as const;

/** What a publication writes beside its document: only what is published has traits. */
export const traitsOf = ({ image }: AssetDocument) =>
  image && { sha256: image.sha256, perceptual_hash: bitsOf(image.perceptualHash) };

const bitsOf = (hash: string): RawBuilder<string> => sql<string>`('x' || ${hash}::text)::bit(64)`;
