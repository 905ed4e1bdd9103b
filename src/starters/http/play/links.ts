/** Where players get the bytes: from the store by signed URLs, or from a CDN in front of it. Never from us. */
import type { VideoPlan } from '../../../contracts/plan.js';
import type { PlayContext } from './ports.js';

/** Signature Version 4 allows no more. Seconds. */
const MAX_SECONDS = 7 * 24 * 3600;
/** Seconds. */
const MAX_WINDOW = 3600;

export class Links {
  /** Base of a CDN, without a slash at its end. */
  readonly cdn: string | undefined;

  constructor(private readonly ctx: Pick<PlayContext, 'config' | 'store'>) {
    this.cdn = ctx.config.http.cdnUrl.replace(/\/+$/, '') || undefined;
  }

  /** Of one object that is asked for now. */
  async to(key: string): Promise<string> {
    const { config, store } = this.ctx;
    if (this.cdn !== undefined) return `${this.cdn}/${key}`;
    return store.signedUrl(config.storage.mediaBucket, key, config.http.signedUrlSeconds);
  }

  /** Of all objects that a playlist names: good until who begins to watch it now has paused for as long as it lasts. */
  async ofFilm({ facts }: Pick<VideoPlan, 'facts'>, now = new Date()): Promise<(key: string) => string> {
    if (this.cdn !== undefined) return (key) => `${this.cdn!}/${key}`;
    const { config, store } = this.ctx;
    const seconds = Math.ceil(2 * facts.duration) + config.http.signedUrlSeconds + this.#windowSeconds;
    return store.signer(config.storage.mediaBucket, Math.min(seconds, MAX_SECONDS), this.window(now));
  }

  /** For a while the same film has the same URLs: browsers find in their caches what they have loaded before. */
  window(now = new Date()): Date {
    const ms = this.#windowSeconds * 1000;
    return new Date(Math.floor(now.getTime() / ms) * ms);
  }

  get #windowSeconds(): number {
    return Math.min(this.ctx.config.http.signedUrlSeconds, MAX_WINDOW);
  }
}
