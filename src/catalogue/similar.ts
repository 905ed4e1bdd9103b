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
    .where('generation', '>', 0)
    .where('state', '<>', 'deleted')
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
    .selectFrom('assets')
    .selectAll()
    .select(distance.as('distance'))
    .where('tenant', '=', tenant)
    .where('perceptual_hash', 'is not', null)
    .where('generation', '>', 0)
    .where('state', '<>', 'deleted')
    .where(distance, '<=', maxDistance)
    .orderBy('distance')
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(limit);
  return mapped(() => query.execute());
}

/** What a publication writes beside its document. */
export const traitsOf = ({ image }: AssetDocument) =>
  image && { sha256: image.sha256, perceptual_hash: bitsOf(image.perceptualHash) };

const bitsOf = (hash: string): RawBuilder<string> => sql<string>`('x' || ${hash}::text)::bit(64)`;
