/** Playlists and manifests as one viewer gets them: what they name, and at which addresses. */
import { LRUCache } from 'lru-cache';
import type { Stage } from '../../../api/playback/stage.js';
import type { VideoPlan } from '../../../contracts/plan.js';
import {
  withHlsAddresses,
  withMpdAddresses,
  withMpdLists,
  withSheetAddresses,
  type Address,
} from '../../../media/video/addresses.js';
import { MANIFEST_FILE, MASTER_FILE, STORYBOARD_FILE } from '../../../media/video/layout.js';
import type { Assets } from './assets.js';
import type { Links } from './links.js';
import { soundSegments, videoSegments } from './targets.js';

/** A signed URL has 350 characters: of longer films, the manifest keeps its templates, and we redirect. */
const MAX_LISTED = 12_000;
/** Characters. */
const KEPT = 64 * 1024 ** 2;
/** A repair publishes new playlists of the same generation. Milliseconds. */
const KEPT_MS = 10_000;

export class Texts {
  readonly #direct = new LRUCache<string, string>({
    maxSize: KEPT,
    sizeCalculation: (text) => text.length + 1,
    ttl: KEPT_MS,
  });

  constructor(
    private readonly assets: Assets,
    private readonly links: Links,
  ) {}

  /** @returns undefined where there is no such text */
  async of({ stage, prefix }: Stage, plan: VideoPlan, path: string, token?: string): Promise<string | undefined> {
    if (stage === 'growing' && !isStoryboard(path))
      return withToken(this.assets.plannedText(prefix, plan, path), path, token);
    if (path !== MASTER_FILE && this.#namesObjects(plan, path)) return this.#directText(prefix, plan, path);
    return withToken(await this.assets.publishedText(prefix, path), path, token);
  }

  #namesObjects(plan: VideoPlan, path: string): boolean {
    if (path !== MANIFEST_FILE || this.links.cdn !== undefined) return true;
    const { rungs, audio } = plan;
    return rungs.length * videoSegments(plan) + audio.length * soundSegments(plan) <= MAX_LISTED;
  }

  /** The same for all viewers: the store lets in whoever has the URL. */
  async #directText(prefix: string, plan: VideoPlan, path: string): Promise<string | undefined> {
    const id = `${prefix}${path} ${this.links.window().toISOString()}`;
    const known = this.#direct.get(id);
    if (known !== undefined) return known;
    const text = await this.assets.publishedText(prefix, path);
    if (text === undefined) return undefined;
    const urlOf = await this.links.ofFilm(plan);
    const folder = prefix + path.replace(/[^/]*$/, '');
    const address: Address = (uri) => urlOf(folder + uri);
    const direct = this.#write(path)(text, address);
    this.#direct.set(id, direct);
    return direct;
  }

  #write(path: string): (text: string, address: Address) => string {
    if (path !== MANIFEST_FILE) return isStoryboard(path) ? withSheetAddresses : withHlsAddresses;
    return this.links.cdn === undefined ? withMpdLists : withMpdAddresses;
  }
}

/** Cues are known once the sheets are there. */
const isStoryboard = (path: string): boolean => path.endsWith(`/${STORYBOARD_FILE}`);

function withToken(text: string | undefined, path: string, token: string | undefined): string | undefined {
  if (text === undefined || token === undefined) return text;
  const write = path === MANIFEST_FILE ? withMpdAddresses : withHlsAddresses;
  return write(text, (uri) => `${uri}?token=${token}`);
}
