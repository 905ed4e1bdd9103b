import type { VideoRung } from '../contracts/plan.js';

/** The rung that is soonest there and that every player takes; undefined when none is encoded. */
export function lowestRung(rungs: readonly VideoRung[]): VideoRung | undefined {
  const encoded = rungs.filter(({ passthrough }) => !passthrough);
  const common = encoded.filter(({ codec }) => codec === 'h264');
  return (common.length > 0 ? common : encoded).toSorted((a, b) => a.height * a.width - b.height * b.width)[0];
}
