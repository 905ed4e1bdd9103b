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

/** `always`: also for what is as it should be. */
export function StateBadge({
  state,
  playable,
  always = false,
}: {
  state: AssetState;
  playable: boolean;
  always?: boolean;
}) {
  if (state === 'ready' && !always) return <span class="unseen">Ready</span>;
  // A new generation is being made, or came to nothing: the one before plays.
  const word = state === 'processing' && playable ? 'Processing again' : WORDS[state];
  return (
    <span class="badge" data-state={state}>
      {word}
    </span>
  );
}
