/** Sheets of small pictures and the WebVTT that says what is where, from the tiles that the chunks left in the store. */
import pLimit from 'p-limit';
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import { STORYBOARD, type StoryboardPlan, type VideoPlan } from '../../contracts/plan.js';
import type { Rendition } from '../../contracts/renditions.js';
import { findFault } from '../../media/image/verify.js';
import { MIME, STORYBOARD_FILE, storyboardPrefix, tileKey, tilesPrefix } from '../../media/video/layout.js';
import { sheetsOf, storyboardVtt, type Sheet } from '../../media/video/stills.js';
import { IMMUTABLE } from '../cache-control.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { readRegularFile } from '../untrusted-file.js';
import { keysBelow } from './keys-below.js';

/** Small pictures of which many travel: a little below that of pictures that are looked at. 1-100. */
const QUALITY = 75;

const DOWNLOADS = 8;

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'scratch' | 'tools'>;

export function createMakeStoryboard(needs: Needs) {
  const { config, store, scratch } = needs;
  return activity(needs.logger, async (scope, job: Job, plan: VideoPlan): Promise<Rendition[]> => {
    const { grid } = plan;
    const { storyboard } = plan.stills;
    if (!grid || !storyboard) return [];
    const { mediaBucket } = config.storage;
    const { signal } = scope;
    const there = await tilesThere(needs, job, storyboard, signal);
    const last = there.lastIndexOf(true);
    if (last < 0) throw new MediaError('VERIFY_FAILED', 'No frame for the storyboard was kept.');
    // Where tiles are missing at the end, the source ended early.
    const frames = Math.min(grid.totalFrames, (last + 1) * storyboard.intervalFrames);

    const sheets = sheetsOf(storyboard, frames);
    let bytes = 0;
    for (const [i, sheet] of sheets.entries()) {
      scope.report({ step: 'encode', what: STORYBOARD, percent: Math.round((90 * i) / sheets.length) });
      await scratch.ensureRoom();
      const made = await makeSheet(needs, scope, job, storyboard, sheet, there);
      const contentType = `image/${storyboard.format}`;
      const key = storyboardPrefix(job) + sheet.name;
      await store.putBytes(mediaBucket, key, made, { contentType, cacheControl: IMMUTABLE, signal });
      bytes += made.length;
    }

    const vtt = Buffer.from(storyboardVtt(storyboard, grid, frames));
    const key = storyboardPrefix(job) + STORYBOARD_FILE;
    const mime = MIME.subtitles;
    await store.putBytes(mediaBucket, key, vtt, { contentType: mime, cacheControl: IMMUTABLE, signal });
    const { tileWidth: width, tileHeight: height } = storyboard;
    return [{ name: STORYBOARD, type: 'storyboard', key, mime, width, height, bytes: bytes + vtt.length }];
  });
}

async function tilesThere(
  { config, store }: Needs,
  job: Job,
  { tiles }: StoryboardPlan,
  signal: AbortSignal,
): Promise<boolean[]> {
  const keys = await keysBelow(store, config.storage.mediaBucket, tilesPrefix(job), signal);
  return Array.from({ length: tiles }, (_, tile) => keys.has(tileKey(job, tile)));
}

/** In a slot of its own: pictures that wait get their turn between two sheets. */
function makeSheet(
  { config, store, tools }: Needs,
  { signal }: ActivityScope,
  job: Job,
  { format, tileWidth, tileHeight }: StoryboardPlan,
  { name, firstTile, tiles, columns, rows }: Sheet,
  there: readonly boolean[],
): Promise<Buffer> {
  const maxBytes = config.limits.maxImageMiB * 1024 ** 2;
  const used = Array.from({ length: tiles }, (_, i) => nearest(there, firstTile + i));
  return tools.withImageSlot(
    async (slot) => {
      const limit = pLimit(DOWNLOADS);
      await limit.map([...new Set(used)], (tile) =>
        store.download(config.storage.mediaBucket, tileKey(job, tile), join(slot.dir, fileOf(tile)), {
          maxBytes,
          signal,
        }),
      );
      await slot.sheet({ name, format, quality: QUALITY, columns, tileWidth, tileHeight, tiles: used.map(fileOf) });
      const bytes = await readRegularFile(join(slot.dir, name));
      const size = { width: columns * tileWidth, height: rows * tileHeight };
      const fault = bytes ? findFault(bytes, { format, ...size }) : 'it is missing';
      if (!bytes || fault) throw new MediaError('VERIFY_FAILED', `${name}: ${fault}.`);
      return bytes;
    },
    { signal },
  );
}

const fileOf = (tile: number): string => `tile-${tile}`;

/** The tile itself, or the one before where it is missing; at the very start the first that is there. */
function nearest(there: readonly boolean[], tile: number): number {
  const before = there.lastIndexOf(true, tile);
  return before >= 0 ? before : there.indexOf(true);
}
