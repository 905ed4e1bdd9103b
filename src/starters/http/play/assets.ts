/** What the server remembers for a moment: rows of the catalogue, plans and published texts. */
import { LRUCache } from 'lru-cache';
import type { AssetRow } from '../../../catalogue/catalogue.js';
import type { Job } from '../../../contracts/assets.js';
import { MediaError } from '../../../contracts/errors.js';
import type { VideoPlan } from '../../../contracts/plan.js';
import { PLAN_FILE } from '../../../media/video/layout.js';
import { manifestFiles } from '../../../media/video/manifests.js';
import { plannedPresentation } from '../../../media/video/presentation.js';
import { subtitleDurations } from '../../../media/video/subtitles.js';
import type { PlayContext } from './ports.js';

/** So late a viewer hears that an asset failed or was deleted. Milliseconds. */
const ROW_MS = 500;
/** A repair publishes new playlists of the same generation. Milliseconds. */
const TEXT_MS = 10_000;
const ROWS = 5_000;
const PLANS = 2_000;
/** Characters. */
const TEXTS = 64 * 1024 ** 2;

export class Assets {
  readonly #rows: LRUCache<string, { row: AssetRow | undefined }>;
  readonly #plans = new LRUCache<string, VideoPlan>({ max: PLANS });
  readonly #texts = new LRUCache<string, string>({
    maxSize: TEXTS,
    sizeCalculation: (text) => text.length + 1,
    ttl: TEXT_MS,
  });

  constructor(
    private readonly ports: Pick<PlayContext, 'catalogue' | 'store'>,
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

  /** @param prefix of a generation. @returns undefined until inspection has written it; it never changes */
  async plan(prefix: string): Promise<VideoPlan | undefined> {
    const key = prefix + PLAN_FILE;
    const known = this.#plans.get(key);
    if (known) return known;
    const text = await this.#read(key);
    if (text === undefined) return undefined;
    const { plan } = JSON.parse(text) as { job: Partial<Job>; plan: VideoPlan };
    this.#plans.set(key, plan);
    return plan;
  }

  /**
   * A playlist or manifest of what is being encoded: all of them follow from the plan, complete from the
   * first second on. Undefined for those that need finished segments, as playlists of I-frames do.
   */
  plannedText(prefix: string, plan: VideoPlan, path: string): string | undefined {
    const keyOf = (name: string): string => `planned ${prefix}${name}`;
    const known = this.#texts.get(keyOf(path));
    if (known !== undefined) return known;
    const names = plan.subtitles.map(({ name }) => name);
    const files = manifestFiles(plannedPresentation(plan, names), subtitleDurations(plan));
    for (const [name, text] of files) this.#texts.set(keyOf(name), text);
    return files.get(path);
  }

  /** A published playlist or manifest. */
  async publishedText(prefix: string, path: string): Promise<string | undefined> {
    const key = prefix + path;
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
