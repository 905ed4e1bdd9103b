/** What there is of a generation of an asset, from its row in the catalogue. */
import type { AssetRow } from '../../catalogue/catalogue.js';
import { outputPrefix } from '../../contracts/assets.js';
import { heldBackFor } from '../../contracts/deadlines.js';
import { ApiProblem } from '../problems.js';

export interface Stage {
  readonly generation: number;
  /** `growing`: being encoded, its playlists follow from its plan. `published`: all that there will be is in the store. */
  readonly stage: 'growing' | 'published';
  /** Where its objects are in the media bucket; ends with a slash. */
  readonly prefix: string;
}

/** What is asked of a row here. */
export type PlayedRow = Pick<
  AssetRow,
  'id' | 'state' | 'kind' | 'generation' | 'begun' | 'error' | 'outputsPrefix' | 'publishNotBefore'
>;

/**
 * @param generation absent: the one to play now, which is the published one until the next is
 * @throws ApiProblem when there is none and will be none
 */
export function stageOf(row: PlayedRow | undefined, generation?: number): Stage {
  if (!row) throw new ApiProblem('asset-unknown');
  if (row.state === 'deleted') throw new ApiProblem('asset-deleted');
  if (row.kind === 'image') throw new ApiProblem('asset-not-playable');
  const heldBack = heldBackFor(row.publishNotBefore, Date.now());
  if (heldBack > 0) {
    const detail = `It is held back until ${row.publishNotBefore!.toISOString()}.`;
    throw new ApiProblem('embargoed', { detail, retryAfter: heldBack / 1000 });
  }
  const wanted = generation ?? (row.generation || row.begun);
  if (wanted > row.begun) throw new ApiProblem('not-found');
  const prefix = outputPrefix(row.id, wanted);
  // Of the same bytes uploaded twice, both assets play the same objects.
  if (wanted === row.generation) return { generation: wanted, stage: 'published', prefix: row.outputsPrefix ?? prefix };
  // What an older generation left behind is there until it is removed: those who watch it may watch it to the end.
  if (wanted < row.begun) return { generation: wanted, stage: 'published', prefix };
  if (row.state === 'failed' || row.state === 'cancelled') {
    throw new ApiProblem('asset-failed', { error: row.error ?? undefined, detail: row.error?.message });
  }
  return { generation: wanted, stage: 'growing', prefix };
}
