/** What the old image service could do, on the catalogue of today. */
import { InvalidCursor } from '../../catalogue/search-cursor.js';
import { searchAssets } from '../../catalogue/search.js';
import type { AssetRow } from '../../catalogue/catalogue.js';
import { outputPrefix } from '../../contracts/assets.js';
import { imageUri } from '../../contracts/image.js';
import { MediaError } from '../../contracts/errors.js';
import { THUMBNAIL_FILE } from '../../media/image/plan.js';
import { findAsset } from '../assets/find.js';
import { mustAllow, type Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { deleteAsset } from '../lifecycle/delete-asset.js';
import { ApiProblem } from '../problems.js';
import { imageOf, isImage, type Image } from './record.js';

/** Seconds. */
const ASK_AGAIN = 1;

export interface ImagePage {
  /** Newest first. */
  readonly images: Image[];
  /** Cursor of the next page; absent on the last one. */
  readonly next?: string | undefined;
}

/** @throws ApiProblem `invalid-request` */
export async function listImages(
  { db }: Pick<ApiContext, 'db'>,
  caller: Caller,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<ImagePage> {
  mustAllow(caller, 'read');
  try {
    const page = await searchAssets(db, { tenant: caller.tenant, kind: 'image', sort: 'newest', limit, cursor });
    return { images: page.rows.map(imageOf), ...(page.next !== undefined && { next: page.next }) };
  } catch (error) {
    if (InvalidCursor.is(error)) throw new ApiProblem('invalid-request', { detail: error.message });
    throw error;
  }
}

/** @throws ApiProblem `asset-unknown`, also of what was deleted */
export async function getImage(ctx: Pick<ApiContext, 'catalogue'>, caller: Caller, id: string): Promise<Image> {
  return imageOf(await findImage(ctx, caller, id));
}

/** @throws ApiProblem `asset-unknown`, `legal-hold` */
export async function deleteImage(ctx: ApiContext, caller: Caller, id: string): Promise<void> {
  await findImage(ctx, caller, id);
  await deleteAsset(ctx, caller, id);
}

/**
 * 100x100 pixels, JPEG.
 *
 * @throws ApiProblem `asset-unknown`, `conflict` while there is none yet, `asset-failed`
 */
export async function readThumbnail(
  ctx: Pick<ApiContext, 'catalogue' | 'config' | 'store'>,
  caller: Caller,
  id: string,
): Promise<Buffer> {
  const row = await findImage(ctx, caller, id);
  const { state, message } = imageOf(row);
  if (state === 'Processing') throw new ApiProblem('conflict', { detail: message, retryAfter: ASK_AGAIN });
  if (state === 'Error') throw new ApiProblem('asset-failed', { detail: message, error: row.error ?? undefined });
  const prefix = row.outputsPrefix ?? outputPrefix(row.id, row.generation);
  try {
    return await ctx.store.read(ctx.config.storage.mediaBucket, prefix + imageUri(THUMBNAIL_FILE));
  } catch (error) {
    // It was deleted in between.
    if (MediaError.is(error) && error.code === 'OBJECT_MISSING') throw new ApiProblem('asset-unknown');
    throw error;
  }
}

async function findImage(ctx: Pick<ApiContext, 'catalogue'>, caller: Caller, id: string): Promise<AssetRow> {
  mustAllow(caller, 'read');
  const row = await findAsset(ctx, caller, id);
  if (!isImage(row)) throw new ApiProblem('asset-unknown');
  return row;
}
