/** What a worker that was killed had begun and not stored: read from the folder that it left. */
import { readdir } from 'node:fs/promises';
import { sep } from 'node:path';

import { streamPrefix } from '../../src/media/video/layout.js';
import type { Session } from '../../src/starters/cli/session.js';

export interface Loss {
  readonly assetId: string;
  /** `chunk-3`, `audio-0-und`, ...: what the step was at. */
  readonly step: string;
  /** Of the rung that lost most: segments that were whole and not in the store. */
  readonly whole: number;
  /** And whether one more may have been in the making: an encoder keeps it in memory until it is whole. */
  readonly begun: boolean;
}

/** A step's folder, and in it the folder of a rung: `src/activities/video/with-source.ts`. */
const SEGMENT = /job-([0-9a-f]{24})-(.+)-[^-/]+\/([^/]+)\/seg-(\d+)\.m4s$/;
const STEP = /job-([0-9a-f]{24})-(.+)-[^-/]+$/;

/** @param scratch of the dead worker alone */
export async function lossOf({ store, config }: Session, scratch: string): Promise<Loss[]> {
  const entries = await readdir(scratch, { recursive: true });
  const paths = entries.map((path) => path.split(sep).join('/'));
  const steps = paths.flatMap((path) => {
    const found = STEP.exec(path);
    return found && !path.slice(found.index).includes('/') ? [{ path, assetId: found[1]!, step: found[2]! }] : [];
  });
  return Promise.all(
    steps.map(async ({ path, assetId, step }) => {
      const rungs = new Map<string, number>();
      for (const file of paths.filter((other) => other.startsWith(`${path}/`))) {
        const [, , , rung, number] = SEGMENT.exec(file) ?? [];
        if (!rung) continue;
        const type = step.startsWith('audio') ? 'audio' : 'video';
        const key = `${streamPrefix({ assetId, generation: 1 }, type, rung)}seg-${number}.m4s`;
        rungs.set(rung, (rungs.get(rung) ?? 0) + ((await isStored(key)) ? 0 : 1));
      }
      return { assetId, step, whole: Math.max(0, ...rungs.values()), begun: step.startsWith('chunk') };
    }),
  );

  async function isStored(key: string): Promise<boolean> {
    return store.stat(config.storage.mediaBucket, key).then(
      () => true,
      () => false,
    );
  }
}
