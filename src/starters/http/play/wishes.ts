/** Tells workflows which segments viewers wait for: once each, and no workflow more often than its history bears. */
import { LRUCache } from 'lru-cache';
import type { AssetRow } from '../../../catalogue/catalogue.js';
import type { WantedSegment } from '../../../contracts/progress.js';
import type { PlayContext } from './ports.js';

/** A wish that came to nothing, as with a worker that died, may be made again. Milliseconds. */
const AGAIN_MS = 20_000;
/** Viewers of one asset may jump so often at once, and one more time each so many milliseconds. */
const BURST = 20;
const EVERY_MS = 1_000;
const ASSETS = 10_000;

export class Wishes {
  readonly #made = new LRUCache<string, true>({ max: ASSETS, ttl: AGAIN_MS });
  /** When the allowance of an asset will be whole again. */
  readonly #spent = new LRUCache<string, number>({ max: ASSETS });

  constructor(private readonly ports: Pick<PlayContext, 'wanted' | 'logger'>) {}

  /** Never fails: without it the segment comes in its turn. */
  make({ id, workflowId }: Pick<AssetRow, 'id' | 'workflowId'>, { name, segment }: WantedSegment): void {
    const key = `${id} ${name} ${segment}`;
    if (this.#made.has(key) || !this.#allow(id)) return;
    this.#made.set(key, true);
    this.ports.wanted(workflowId, { name, segment }).catch((error: unknown) => {
      this.#made.delete(key);
      this.ports.logger.warn('a wish did not reach its workflow', { assetId: id, name, segment, error });
    });
  }

  #allow(id: string): boolean {
    const now = Date.now();
    const whole = Math.max(now, this.#spent.get(id) ?? 0) + EVERY_MS;
    if (whole - now > BURST * EVERY_MS) return false;
    this.#spent.set(id, whole);
    return true;
  }
}
