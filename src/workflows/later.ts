/** What was left out of a video's chunks so that the rest is there in time. */
import type { Chunk } from '../contracts/plan.js';

export class Later {
  /** Name of a rung -> its chunks. */
  private readonly left = new Map<string, Chunk[]>();

  add(rungs: readonly string[], chunk: Chunk): void {
    for (const name of rungs) this.left.set(name, [...(this.left.get(name) ?? []), chunk]);
  }

  chunksOf(rung: string): readonly Chunk[] {
    return this.left.get(rung) ?? [];
  }

  done(rungs: readonly string[]): void {
    for (const name of rungs) this.left.delete(name);
  }
}
