/** A cache in front of the store, which is told to forget what may have changed. */
import type { Config } from '../../config/schema.js';
import { documentKey } from '../../contracts/assets.js';
import type { PurgeTarget } from '../../contracts/targets.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { post } from '../webhooks/post.js';
import { isChangeable, publishedKeys } from './published.js';
import { Refused, type Target } from './target.js';

const ANSWER_SECONDS = 20;
const START_SECONDS = 0;

export function createPurgeTarget(
  spec: PurgeTarget,
  { webhooks, publishers, storage }: Config,
  store: ObjectStore,
): Target {
  const { url, method = 'PURGE', each = 'object', headers = {} } = spec;
  const { startSeconds = START_SECONDS, min = 0, max = publishers.max } = spec;
  const allowPrivate = webhooks.allowPrivate === 'on';

  async function forget(key: string, signal: AbortSignal): Promise<void> {
    const path = key.split('/').map(encodeURIComponent).join('/');
    const said = { 'user-agent': 'mediamill-publisher', ...headers };
    const to = new URL(url.replaceAll('{key}', path));
    const { status, error } = await post(to, said, '', {
      method,
      allowPrivate,
      signal,
      timeLimit: ANSWER_SECONDS * 1000,
    });
    // It had nothing to forget.
    if (error !== undefined && status !== 404) throw new Refused(error);
  }

  return {
    kind: 'purge',
    rules: { min, max, startSeconds, reusable: true },
    start: async () => ({
      async publish({ assetId, generation, prefix }, signal) {
        if (each === 'asset') return forget(prefix, signal);
        const keys = (await publishedKeys(store, storage.mediaBucket, prefix, signal)).map(({ key }) => key);
        for (const key of [...keys.filter(isChangeable), documentKey(assetId, generation)]) await forget(key, signal);
      },
    }),
  };
}
