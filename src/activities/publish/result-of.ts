import type { PublishRequest, PublishResult } from '../../contracts/activities.js';
import type { AssetDocument } from '../../contracts/assets.js';
import { masterKey, PLAYLIST_FILE, streamPrefix } from '../../media/video/layout.js';

/** What an attempt before this one published, as it would have reported it. */
export function resultOf({ job, plan, posters }: PublishRequest, document: AssetDocument): PublishResult {
  const keyOf = (name: string, type: string): string =>
    type === 'video' || type === 'audio'
      ? streamPrefix(job, type, name) + PLAYLIST_FILE
      : (posters.find((poster) => poster.name === name)?.key ?? '');
  return {
    state: document.state === 'partial' ? 'partial' : 'ready',
    kind: plan.kind,
    renditions: document.renditions.map(({ url: _url, ...rest }) => ({ ...rest, key: keyOf(rest.name, rest.type) })),
    masterKey: masterKey(job),
  };
}
