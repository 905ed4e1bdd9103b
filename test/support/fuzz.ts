/** Damaged copies of a picture through the twins, and what became of them. */
import { flipped } from './damage.js';
import type { Picture } from './pictures.js';
import type { Twins } from './twins.js';

/** Shares of a file that are left when it is cut off. */
const CUTS = [0.01, 0.25, 0.5, 0.99];

export interface FuzzReport {
  readonly name: string;
  readonly runs: number;
  /** How often each verdict was given. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** `cut-25: ...`, `flip-7: ...`: enough to make the same copy again. */
  readonly problems: readonly string[];
  readonly slowest: { readonly copy: string; readonly seconds: number };
}

/** @param seeds of copies with bytes turned over, beside those that are cut off */
export async function fuzz(twins: Twins, { name, bytes }: Picture, seeds: readonly number[]): Promise<FuzzReport> {
  const copies = [
    ...CUTS.map((share) => [`cut-${share * 100}`, () => bytes.subarray(0, Math.ceil(bytes.length * share))] as const),
    ...seeds.map((seed) => [`flip-${seed}`, () => flipped(bytes, seed)] as const),
  ];
  const verdicts: Record<string, number> = {};
  const problems: string[] = [];
  let slowest = { copy: '', seconds: 0 };
  for (const [copy, make] of copies) {
    const started = performance.now();
    const { verdict, problem } = await twins.process(make());
    const seconds = (performance.now() - started) / 1000;
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    if (problem !== undefined) problems.push(`${copy}: ${problem}`);
    if (seconds > slowest.seconds) slowest = { copy, seconds };
  }
  return { name, runs: copies.length, verdicts, problems, slowest };
}
