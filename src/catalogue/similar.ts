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
export async function findSimilar(
  db: Database,
  tenant: string,
  hash: string,
  maxDistance: number,
  limit: number,
): Promise<(AssetRecord & { distance: number })[]> {
  const nearest = sql<{ id: string; distance: number }>`
    select id, distance from (${imagesNear(tenant, hash, maxDistance)}) near order by distance, id limit ${limit}`;
  // Rows, with their documents, are fetched of the nearest alone.
  const { rows: near } = await mapped(() => nearest.execute(db));
  const distances = new Map(near.map(({ id, distance }) => [id, distance]));
  if (near.length === 0) return [];
  const query = db
    .selectFrom('assets')
    .select(ASSET_COLUMNS)
    .where('assets.id', 'in', [...distances.keys()])
    .orderBy('created_at', 'desc')
    .orderBy('assets.id');
  const rows = await mapped(() => query.execute());
  return rows
    .map((row) => ({ ...row, distance: distances.get(row.id)! }))
    .sort((one, other) => one.distance - other.distance);
}

/** Bits in which an asset's perceptual hash differs. @param hash 16 hexadecimal digits */
export const distanceTo = (hash: string): RawBuilder<number> =>
  sql`bit_count(perceptual_hash # ${bitsOf(hash)})::integer`;

/** Up to here, one quarter of the hashes differs in at most two bits: in twelve, each could differ in three. */
const INDEXED_DISTANCE = 11;

/**
 * A query for `id` and `distance` of a tenant's images. Near ones are looked up by quarters of their hashes, each of
 * which has an index (https://doi.org/10.1109/TPAMI.2013.231); beyond, all of the tenant's hashes are compared.
 */
export function imagesNear(
  tenant: string,
  hash: string,
  maxDistance: number,
): RawBuilder<{ id: string; distance: number }> {
  const distance = distanceTo(hash);
  const near = sql`
    select id, ${distance} as distance from assets
    where tenant = ${tenant} and perceptual_hash is not null and ${distance} <= ${maxDistance}`;
  if (maxDistance > INDEXED_DISTANCE) return sql`${near}`;
  const masks = masksOf(Math.floor(maxDistance / 4));
  const quarters = [0, 1, 2, 3].map((place) => {
    const quarter = Number.parseInt(hash.slice(4 * place, 4 * place + 4), 16);
    return sql`${near} and ${sql.ref(`hash_${place}`)} = any(${masks.map((mask) => quarter ^ mask)}::integer[])`;
  });
  return sql`select distinct id, distance from (${sql.join(quarters, sql` union all `)}) quarter`;
}

/** All 16-bit masks with so many bits at most. */
export function masksOf(bits: number): number[] {
  let masks = new Set([0]);
  for (let i = 0; i < bits; i++)
    masks = new Set([...masks].flatMap((mask) => [mask, ...Array.from({ length: 16 }, (_, bit) => mask | (1 << bit))]));
  return [...masks];
}

/** What a deleted asset is no longer found by. */
export const NO_TRAITS = { sha256: null, perceptual_hash: null } as const;

/** What a publication writes beside its document: only what is published has traits. */
export const traitsOf = ({ image }: AssetDocument) =>
  image && { sha256: image.sha256, perceptual_hash: bitsOf(image.perceptualHash) };

const bitsOf = (hash: string): RawBuilder<string> => sql<string>`('x' || ${hash}::text)::bit(64)`;
