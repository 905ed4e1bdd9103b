/** The operator's picture, where an encode finds it. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { VideoPlan } from '../../contracts/plan.js';
import { WATERMARK_FILE } from '../../media/video/encode-args.js';
import type { ActivityContext } from '../context.js';

/** Copies it into an encode's folder, where the plan wants one. @throws Error when it is no longer there */
export async function copyWatermark(
  { profiles }: Pick<ActivityContext, 'profiles'>,
  { watermark }: Pick<VideoPlan, 'watermark'>,
  dir: string,
): Promise<void> {
  if (watermark) await copyFile(profiles.file(watermark.file), join(dir, WATERMARK_FILE));
}
