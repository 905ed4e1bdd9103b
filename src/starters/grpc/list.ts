/** `ListVideos`: as the HTTP list, without images. */
import type { Caller } from '../../api/caller.js';
import { resourceOf } from '../../api/assets/resource.js';
import type { ApiContext } from '../../api/context.js';
import { ApiProblem } from '../../api/problems.js';
import { searchAssets } from '../../catalogue/search.js';
import { InvalidCursor } from '../../catalogue/search-cursor.js';
import { ASSET_STATES, type AssetState } from '../../contracts/assets.js';
import type { ListVideosRequest, ListVideosResponse, Timestamp } from './messages.js';
import { isoOf } from './time.js';
import { videoOf } from './video.js';

const DEFAULT_SIZE = 50;
const MAX_SIZE = 200;
/** What is longer matches nothing. Characters, tags. */
const LONGEST_QUERY = 500;
const MOST_TAGS = 50;

/** @throws ApiProblem `invalid-request` */
export async function listVideos(
  ctx: ApiContext,
  { tenant }: Caller,
  request: ListVideosRequest,
): Promise<ListVideosResponse> {
  const { pageSize, pageToken, query, tags } = request;
  if (pageSize < 0) throw invalid('page_size must not be negative.');
  if (query.length > LONGEST_QUERY) throw invalid(`query may have ${LONGEST_QUERY} characters.`);
  if (tags.length > MOST_TAGS) throw invalid(`There may be ${MOST_TAGS} tags.`);
  if ([query, pageToken, ...tags].some((text) => text.includes('\0'))) throw invalid('A text holds a zero byte.');
  try {
    const page = await searchAssets(ctx.db, {
      tenant,
      withoutImages: true,
      limit: Math.min(pageSize || DEFAULT_SIZE, MAX_SIZE),
      ...(pageToken !== '' && { cursor: pageToken }),
      ...(query.trim() !== '' && { text: query }),
      ...(tags.length > 0 && { tags }),
      ...(request.state !== 'VIDEO_STATE_UNSPECIFIED' && { state: [stateOf(request.state)] }),
      createdAfter: dateOf(request.createdAfter),
      createdBefore: dateOf(request.createdBefore),
    });
    return {
      videos: page.rows.map((row) => videoOf(resourceOf(row, ctx.config), row.revision)),
      nextPageToken: page.next,
    };
  } catch (error) {
    if (InvalidCursor.is(error)) throw invalid(error.message);
    throw error;
  }
}

const invalid = (detail: string): ApiProblem => new ApiProblem('invalid-request', { detail });

/** A number that a newer client knows arrives as that number. */
function stateOf(state: string | number): AssetState {
  const found = ASSET_STATES.find((known) => state === `VIDEO_STATE_${known.toUpperCase()}`);
  if (!found) throw invalid('There is no such state.');
  return found;
}

function dateOf(timestamp: Timestamp | null): Date | undefined {
  const text = isoOf(timestamp);
  return text === undefined ? undefined : new Date(text);
}
