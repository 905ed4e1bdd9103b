/** What there is of a generation of an asset, from its row in the catalogue. */
import type { AssetRow } from '../../../catalogue/catalogue.js';
import { ApiProblem } from '../../../api/problems.js';

export interface Stage {
  readonly generation: number;
  /** `growing`: being encoded, its playlists follow from its plan. `published`: all that there will be is in the store. */
  readonly stage: 'growing' | 'published';
}

/**
 * @param generation absent: the one to play now, which is the published one until the next is
 * @throws ApiProblem when there is none and will be none
 */
export function stageOf(row: AssetRow | undefined, generation?: number): Stage {
  if (!row) throw new ApiProblem('asset-unknown');
  if (row.state === 'deleted') throw new ApiProblem('asset-deleted');
  if (row.kind === 'image') throw new ApiProblem('asset-not-playable');
  const wanted = generation ?? (row.generation || row.begun);
  if (wanted > row.begun) throw new ApiProblem('not-found');
  // What an older generation left behind is there until it is removed: those who watch it may watch it to the end.
  if (wanted === row.generation || wanted < row.begun) return { generation: wanted, stage: 'published' };
  if (row.state === 'failed' || row.state === 'cancelled') {
    throw new ApiProblem('asset-failed', { error: row.error ?? undefined, detail: row.error?.message });
  }
  return { generation: wanted, stage: 'growing' };
}
