import type { AssetState } from './api.js';

const WORDS: Record<AssetState, string> = {
  received: 'Waiting',
  processing: 'Processing',
  playable: 'Watch now',
  ready: 'Ready',
  partial: 'Partly ready',
  failed: 'Failed',
  cancelled: 'Cancelled',
  deleted: 'Deleted',
};

/** @param published whether there is something to play of an earlier run. @param always also for what is as it should be */
export function StateBadge({
  state,
  published = false,
  always = false,
}: {
  state: AssetState;
  published?: boolean;
  always?: boolean;
}) {
  if (state === 'ready' && !always) return <span class="unseen">Ready</span>;
  // A new generation is on its way: until it is there, the one before plays.
  const again = published && (state === 'processing' || state === 'playable');
  return (
    <span class="badge" data-state={again ? 'processing' : state}>
      {again ? 'Processing again' : WORDS[state]}
    </span>
  );
}
