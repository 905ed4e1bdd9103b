/** Takes single frames out of an encoder's folder into the store, for the image queue to make pictures of. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import type { ChunkStills } from '../../media/video/chunk-result.js';
import { STILLS_DIR, stillOf } from '../../media/video/encode-args.js';
import { posterFrameKey, tileKey } from '../../media/video/layout.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { readRegularFile } from '../untrusted-file.js';

export interface StillsDestination {
  readonly store: Pick<ObjectStore, 'putIfAbsent'>;
  readonly bucket: string;
}

/** Tiles are small, and a fast encode leaves many at once. */
const AT_ONCE = 8;

/** Ships all stills that are finished now. A file has its final name only when it is whole. */
export async function shipStills(
  dir: string,
  job: Job,
  { posterFrames, tiles }: ChunkStills,
  { store, bucket }: StillsDestination,
  signal: AbortSignal,
): Promise<void> {
  if (posterFrames.length + tiles.length === 0) return;
  const ready = (await readdir(join(dir, STILLS_DIR))).flatMap((name) => {
    const still = stillOf(name);
    if (!still) return [];
    const isPoster = still.kind === 'poster';
    // Tiles come at an interval, whichever of them are missing.
    if (!(isPoster ? posterFrames : tiles).includes(still.number)) return [];
    return [{ path: join(dir, STILLS_DIR, name), key: (isPoster ? posterFrameKey : tileKey)(job, still.number) }];
  });
  while (ready.length > 0) {
    await Promise.all(
      ready.splice(0, AT_ONCE).map(async ({ path, key }) => {
        const bytes = await readRegularFile(path);
        if (!bytes) return;
        await store.putIfAbsent(bucket, key, bytes, { contentType: 'image/jpeg', signal });
        await rm(path);
      }),
    );
  }
}
