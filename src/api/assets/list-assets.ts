/** Lists and finds a tenant's assets. */
import { Type, type Static } from 'typebox';

import { ASSET_SORTS, searchAssets } from '../../catalogue/search.js';
import { InvalidCursor } from '../../catalogue/search-cursor.js';
import { mustAllow, type Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';
import { DeadlineStateSchema } from './deadline.js';
import { findAsset } from './find.js';
import { resourceOf } from './resource.js';
import { AssetId, AssetSchema, KindSchema, StateSchema, TagsSchema, type Asset } from './schemas.js';

const DEFAULT_LIMIT = 50;
/** Bits; copies of a picture in other sizes and formats are nearer. */
const DEFAULT_DISTANCE = 8;
const MAX_SECONDS = 1e9;

const maybe = Type.Optional;
const bytes = (description: string) =>
  maybe(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }));
const seconds = (description: string) => maybe(Type.Number({ minimum: 0, maximum: MAX_SECONDS, description }));
const time = (description: string) => maybe(Type.String({ format: 'date-time', description }));

export const ListQuerySchema = Type.Object(
  {
    q: maybe(
      Type.String({
        maxLength: 500,
        description: 'Words in title, file name, tags and metadata: all of them. The best matches come first.',
      }),
    ),
    kind: maybe(KindSchema),
    state: maybe(Type.Array(StateSchema, { maxItems: 8, description: 'Any of these. Default: all but deleted ones.' })),
    deadline: maybe(Type.Array(DeadlineStateSchema, { maxItems: 4, description: 'Any of these.' })),
    tags: maybe({ ...TagsSchema, description: 'All of these.' } as typeof TagsSchema),
    profile: maybe(Type.String({ minLength: 1, maxLength: 63 })),
    minBytes: bytes('Of the upload.'),
    maxBytes: bytes('Of the upload.'),
    minDuration: seconds('Seconds.'),
    maxDuration: seconds('Seconds.'),
    createdAfter: time('Inclusive.'),
    createdBefore: time('Exclusive.'),
    similarTo: maybe({ ...AssetId, description: 'Images that look like this one.' } as typeof AssetId),
    maxDistance: maybe(
      Type.Integer({
        minimum: 0,
        // What is quick among a million; unrelated pictures differ in some thirty.
        maximum: 11,
        default: DEFAULT_DISTANCE,
        description: 'With `similarTo`: bits in which perceptual hashes may differ.',
      }),
    ),
    sort: maybe(
      Type.Enum([...ASSET_SORTS], {
        description: 'Default: `similarity` with `similarTo`, `relevance` with `q`, else `newest`.',
      }),
    ),
    limit: maybe(Type.Integer({ minimum: 1, maximum: 200, default: DEFAULT_LIMIT, description: 'Of one page.' })),
    cursor: maybe(Type.String({ minLength: 1, maxLength: 2000, description: '`next` of the page before.' })),
  },
  { additionalProperties: false },
);

export const AssetListSchema = Type.Object(
  {
    items: Type.Array(AssetSchema),
    next: maybe(Type.String({ description: 'Cursor of the next page; absent on the last one.' })),
  },
  { additionalProperties: false },
);

export type ListQuery = Static<typeof ListQuerySchema>;

export interface AssetList {
  readonly items: Asset[];
  readonly next?: string | undefined;
}

/** @throws ApiProblem `invalid-request` */
export async function listAssets(ctx: ApiContext, caller: Caller, query: ListQuery): Promise<AssetList> {
  mustAllow(caller, 'read');
  const { q, createdAfter, createdBefore, similarTo, maxDistance, limit, ...rest } = query;
  try {
    const page = await searchAssets(ctx.db, {
      ...rest,
      tenant: caller.tenant,
      text: q,
      createdAfter: dateOf('createdAfter', createdAfter),
      createdBefore: dateOf('createdBefore', createdBefore),
      similarTo:
        similarTo === undefined
          ? undefined
          : { hash: await hashOf(ctx, caller, similarTo), maxDistance: maxDistance ?? DEFAULT_DISTANCE },
      limit: limit ?? DEFAULT_LIMIT,
    });
    return {
      items: page.rows.map((row) => resourceOf(row, ctx.config)),
      ...(page.next !== undefined && { next: page.next }),
    };
  } catch (error) {
    if (InvalidCursor.is(error)) throw new ApiProblem('invalid-request', { detail: error.message });
    throw error;
  }
}

function dateOf(name: string, value: string | undefined): Date | undefined {
  if (value === undefined) return undefined;
  const date = new Date(value);
  // A leap second is a time, and none that can be counted.
  if (Number.isNaN(date.getTime())) throw new ApiProblem('invalid-request', { detail: `${name} is no date and time.` });
  return date;
}

async function hashOf(ctx: ApiContext, caller: Caller, assetId: string): Promise<string> {
  const row = await findAsset(ctx, caller, assetId).catch((error: unknown) => {
    if (ApiProblem.is(error)) return undefined;
    throw error;
  });
  const hash = row?.document?.image?.perceptualHash;
  if (hash === undefined) throw new ApiProblem('invalid-request', { detail: 'similarTo is no published image.' });
  return hash;
}
