/** What the server remembers for a moment: rows of the catalogue, plans and published texts. */
import { LRUCache } from 'lru-cache';
import type { AssetRow } from '../../../catalogue/catalogue.js';
import { outputPrefix, type Job } from '../../../contracts/assets.js';
import { MediaError } from '../../../contracts/errors.js';
import type { VideoPlan } from '../../../contracts/plan.js';
import { planKey } from '../../../media/video/layout.js';
import type { HttpPorts } from '../ports.js';
import { plannedDocuments, type Documents } from './planned.js';

/** So late a viewer hears that an asset failed or was deleted. Milliseconds. */
const ROW_MS = 500;
/** A repair publishes new playlists of the same generation. Milliseconds. */
const TEXT_MS = 10_000;
const ROWS = 5_000;
const PLANS = 500;
/** Characters. */
const TEXTS = 64 * 1024 ** 2;

export interface Planned {
  readonly plan: VideoPlan;
  /** Made when first asked for. */
  readonly documents: Documents;
}

export class Assets {
  readonly #rows: LRUCache<string, { row: AssetRow | undefined }>;
  readonly #plans = new LRUCache<string, Planned>({ max: PLANS });
  readonly #texts = new LRUCache<string, string>({
    maxSize: TEXTS,
    sizeCalculation: (text) => text.length + 1,
    ttl: TEXT_MS,
  });

  constructor(
    private readonly ports: Pick<HttpPorts, 'catalogue' | 'store'>,
    private readonly bucket: string,
  ) {
    this.#rows = new LRUCache({
      max: ROWS,
      ttl: ROW_MS,
      // Requests that come together ask once.
      fetchMethod: async (id) => ({ row: await ports.catalogue.find(id) }),
    });
  }

  async row(assetId: string): Promise<AssetRow | undefined> {
    return (await this.#rows.fetch(assetId))?.row;
  }

  /** Undefined until inspection has written it. It never changes. */
  async plan(assetId: string, generation: number): Promise<Planned | undefined> {
    const key = planKey({ assetId, generation });
    const known = this.#plans.get(key);
    if (known) return known;
    const text = await this.#read(key);
    if (text === undefined) return undefined;
    const { plan } = JSON.parse(text) as { job: Partial<Job>; plan: VideoPlan };
    const planned = { plan, documents: plannedDocuments(plan) };
    this.#plans.set(key, planned);
    return planned;
  }

  /** A published playlist or manifest. */
  async text(assetId: string, generation: number, path: string): Promise<string | undefined> {
    const key = outputPrefix(assetId, generation) + path;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const text = await this.#read(key);
    if (text !== undefined) this.#texts.set(key, text);
    return text;
  }

  /** The first of these objects that is there. */
  async firstOf(keys: readonly string[]): Promise<string | undefined> {
    const there = await Promise.all(
      keys.map((key) => unlessMissing(() => this.ports.store.stat(this.bucket, key).then(() => key))),
    );
    return there.find((key) => key !== undefined);
  }

  async #read(key: string): Promise<string | undefined> {
    return unlessMissing(async () => (await this.ports.store.read(this.bucket, key)).toString());
  }
}

async function unlessMissing<T>(use: () => Promise<T>): Promise<T | undefined> {
  try {
    return await use();
  } catch (error) {
    if (MediaError.is(error) && error.code === 'OBJECT_MISSING') return undefined;
    throw error;
  }
}
