/** Equal neighbours as one. Pure. */

export interface Run {
  readonly from: number;
  readonly length: number;
  readonly state: string;
}

/** `ddrw` -> runs of equal letters. */
export function runsOf(segments: string): Run[] {
  const runs: Run[] = [];
  for (const match of segments.matchAll(/(.)\1*/g)) {
    runs.push({ from: match.index, length: match[0].length, state: match[1]! });
  }
  return runs;
}
