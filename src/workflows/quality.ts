/** The lowest sampled quality of each rung, over the runs that stand: what is encoded again is measured again. */
import type { Chunk, RungQuality } from '../contracts/plan.js';

interface Measured extends RungQuality {
  readonly run: Chunk;
}

export class Quality {
  private measured: Measured[] = [];

  add(run: Chunk, quality: readonly RungQuality[]): void {
    for (const { name, ssim } of quality) this.measured.push({ name, ssim, run });
  }

  /** Of a rung that is encoded again there, or as a whole. */
  forget(name: string, run?: Chunk): void {
    this.measured = this.measured.filter((one) => one.name !== name || (run && !overlap(one.run, run)));
  }

  get lowest(): RungQuality[] {
    const lowest = new Map<string, number>();
    for (const { name, ssim } of this.measured) lowest.set(name, Math.min(ssim, lowest.get(name) ?? 1));
    return [...lowest].map(([name, ssim]) => ({ name, ssim }));
  }
}

export const overlap = (a: Chunk, b: Chunk): boolean =>
  a.firstSegment < b.firstSegment + b.segments && b.firstSegment < a.firstSegment + a.segments;
