import type { AssetDocument } from '../contracts/assets.js';

/** Seconds; null of what has none. */
export function durationOf({ renditions }: Pick<AssetDocument, 'renditions'>): number | null {
  const seconds = renditions.flatMap(({ type, duration }) =>
    (type === 'video' || type === 'audio') && duration !== undefined ? [duration] : [],
  );
  return seconds.length > 0 ? Math.max(...seconds) : null;
}
