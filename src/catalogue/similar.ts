/** Finds images again by what they are: their bytes, or their looks. */
import { sql, type RawBuilder } from 'kysely';

import type { AssetDocument } from '../contracts/assets.js';
import { ASSET_COLUMNS, type AssetRecord } from './asset-row.js';
import { mapped, type Database } from './database.js';

export function findBySha256(db: Database, tenant: string, sha256: string, limit: number): Promise<AssetRecord[]> {
  const query = db
    .selectFrom('assets')
    .select(ASSET_COLUMNS)
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
): Promise<(AssetRecord & { distance: number })[]> {
  const distance = distanceTo(hash);
  const query = db
    // Rows, with their documents, are fetched of the nearest alone. Materialised, because the planner takes a third of
    // all rows to be near, and would rather read the whole table.
    .with(
      (cte) => cte('near').materialized(),
      (from) =>
        from
          .selectFrom('assets')
          .select(['id', distance.as('distance')])
          .where('tenant', '=', tenant)
          .where((eb) => eb.and(isNear(hash, maxDistance)))
          .orderBy('distance')
          .orderBy('id')
          .limit(limit),
    )
    .selectFrom('near')
    .innerJoin('assets', 'assets.id', 'near.id')
    .select(ASSET_COLUMNS)
    .select('near.distance')
    .orderBy('distance')
    .orderBy('created_at', 'desc')
    .orderBy('assets.id');
  return mapped(() => query.execute());
}

/** Bits in which an asset's perceptual hash differs. @param hash 16 hexadecimal digits */
export const distanceTo = (hash: string): RawBuilder<number> =>
  sql`bit_count(perceptual_hash # ${bitsOf(hash)})::integer`;

/** Up to here, one quarter of the hashes differs in at most two bits: in twelve, each could differ in three. */
const INDEXED_DISTANCE = 11;

/** `and`. Served by the index of quarters where that can be; beyond, every hash is compared. */
export function isNear(hash: string, maxDistance: number): RawBuilder<boolean>[] {
  const near = sql<boolean>`${distanceTo(hash)} <= ${maxDistance}`;
  const isHash = sql<boolean>`perceptual_hash is not null`;
  if (maxDistance > INDEXED_DISTANCE) return [isHash, near];
  const quarters = quartersNear(hash, Math.floor(maxDistance / 4));
  return [isHash, sql`hash_quarters(perceptual_hash) && ${quarters}::integer[]`, near];
}

/** All quarters that differ in so many bits at most from those of a hash, marked with their place as `hash_quarters` marks them. */
export function quartersNear(hash: string, bits: number): number[] {
  let masks = new Set([0]);
  for (let i = 0; i < bits; i++)
    masks = new Set([...masks].flatMap((mask) => [mask, ...Array.from({ length: 16 }, (_, bit) => mask ^ (1 << bit))]));
  return [0, 1, 2, 3].flatMap((place) => {
    const quarter = Number.parseInt(hash.slice(4 * place, 4 * place + 4), 16);
    return [...masks].map((mask) => place * 65_536 + (quarter ^ mask));
  });
}

/** What a deleted asset is no longer found by. */
export const NO_TRAITS = { sha256: null, perceptual_hash: null } as const;

/** What a publication writes beside its document: only what is published has traits. */
export const traitsOf = ({ image }: AssetDocument) =>
  image && { sha256: image.sha256, perceptual_hash: bitsOf(image.perceptualHash) };

const bitsOf = (hash: string): RawBuilder<string> => sql<string>`('x' || ${hash}::text)::bit(64)`;
