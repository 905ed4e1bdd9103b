/** Which state may follow which. Pure. */
import { FINAL_STATES, type AssetState } from '../contracts/assets.js';

export interface Standing {
  readonly state: AssetState;
  /** The generation that `state` speaks of: the latest that has begun. */
  readonly begun: number;
}

/**
 * `apply`: a step forward. `repeat`: it stands there already, nothing is to be written.
 * `refuse`: it comes too late.
 */
export type Verdict = 'apply' | 'repeat' | 'refuse';

/** Within one generation, states only go up. All final states are one step. */
const ORDER: Readonly<Record<AssetState, number>> = {
  received: 0,
  processing: 1,
  playable: 2,
  ready: 3,
  partial: 3,
  failed: 3,
  cancelled: 3,
  deleted: 4,
};

export function judge(now: Standing | undefined, to: AssetState, generation: number): Verdict {
  if (now === undefined) return 'apply';
  // Deleting wins over everything, whatever generation is under way; nothing follows it.
  if (now.state === 'deleted') return to === 'deleted' ? 'repeat' : 'refuse';
  if (to === 'deleted') return 'apply';
  if (generation !== now.begun) return generation > now.begun ? 'apply' : 'refuse';
  if (to === now.state) return 'repeat';
  if (FINAL_STATES.includes(now.state)) return 'refuse';
  return ORDER[to] > ORDER[now.state] ? 'apply' : 'refuse';
}

/** A repair publishes again what is published: it begins nothing and revives nothing. */
export function judgeRepair(
  now: (Standing & { readonly generation: number }) | undefined,
  generation: number,
): Verdict {
  const isPublished = now?.generation === generation && now.begun === generation;
  return isPublished && (now.state === 'ready' || now.state === 'partial') ? 'apply' : 'refuse';
}
