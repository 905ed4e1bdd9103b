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
  /** And whether one more was in the making. */
  readonly begun: boolean;
}

/** A step's folder, and in it the folder of a rung: `src/activities/video/with-source.ts`. */
const SEGMENT = /job-([0-9a-f]{24})-(.+)-[^-/]+\/([^/]+)\/seg-(\d+)\.m4s(\.tmp)?$/;
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
      const rungs = new Map<string, { whole: number; begun: boolean }>();
      for (const file of paths.filter((other) => other.startsWith(`${path}/`))) {
        const [, , , rung, number, temporary] = SEGMENT.exec(file) ?? [];
        if (!rung) continue;
        const count = rungs.get(rung) ?? { whole: 0, begun: false };
        if (temporary) count.begun = true;
        else {
          const type = step.startsWith('audio') ? 'audio' : 'video';
          const key = `${streamPrefix({ assetId, generation: 1 }, type, rung)}seg-${number}.m4s`;
          if (!(await isStored(key))) count.whole += 1;
        }
        rungs.set(rung, count);
      }
      const all = [...rungs.values()];
      const whole = Math.max(0, ...all.map((one) => one.whole));
      return { assetId, step, whole, begun: all.some(({ begun }) => begun) };
    }),
  );

  async function isStored(key: string): Promise<boolean> {
    return store.stat(config.storage.mediaBucket, key).then(
      () => true,
      () => false,
    );
  }
}
