/** When it is needed, and what becomes of that. */
import { sayDeadline, type Deadline } from './due.js';

const WORDS = { 'on-time': 'On time', 'at-risk': 'At risk', met: 'In time', missed: 'Too late' } as const;
/** As the states of assets are coloured. */
const TONES = { 'on-time': 'processing', 'at-risk': 'partial', met: 'ready', missed: 'failed' } as const;

export function DeadlineLine({ deadline }: { deadline: Deadline }) {
  const { state } = deadline;
  const words = sayDeadline(deadline);
  if (!state && !words) return null;
  return (
    <p class="asset-line">
      {state && (
        <span class="badge" data-state={TONES[state]}>
          {WORDS[state]}
        </span>
      )}
      <span>{words}</span>
    </p>
  );
}
