/** The frames of an animation on their way from the step that decodes them to those that make loops of them. */
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { LoopPlan } from '../../contracts/image.js';
import { STRIP_FACTS_FILE, STRIP_FILE, type Strip } from '../../media/image/loop.js';
import { workPrefix } from '../../media/video/layout.js';
import type { ObjectStore } from '../../storage/object-store.js';
import type { ImageSlot } from '../../tools/tools.js';
import { readRegularFile } from '../untrusted-file.js';
import type { Shelf } from './upload-variants.js';

export interface FinishedStrip extends Strip {
  /** PNG. */
  readonly bytes: Buffer;
}

/** @param loop all loops of an animation are of one size */
export async function readStrip(slot: ImageSlot, file: string, { width, height }: LoopPlan): Promise<FinishedStrip> {
  const delays = await slot.strip(file, { name: STRIP_FILE, width, height });
  const bytes = await readRegularFile(join(slot.dir, STRIP_FILE));
  if (!bytes) throw new MediaError('VERIFY_FAILED', 'The frames of the animation are missing.');
  return { delays, bytes };
}

export async function putStrip(
  { store, bucket, job }: Shelf,
  { delays, bytes }: FinishedStrip,
  signal: AbortSignal,
): Promise<void> {
  await store.putBytes(bucket, stripKey(job), bytes, { contentType: 'image/png', signal });
  const facts = Buffer.from(JSON.stringify({ delays } satisfies Strip));
  await store.putBytes(bucket, stripFactsKey(job), facts, { contentType: 'application/json', signal });
}

/** Brings what `putStrip` left into a folder. */
export async function fetchStrip(
  { store, bucket, job }: { readonly store: ObjectStore; readonly bucket: string; readonly job: Job },
  path: string,
  signal: AbortSignal,
): Promise<Strip> {
  await store.download(bucket, stripKey(job), path, { signal });
  return JSON.parse((await store.read(bucket, stripFactsKey(job), { signal })).toString('utf8')) as Strip;
}

const stripKey = (job: Job): string => workPrefix(job) + STRIP_FILE;
const stripFactsKey = (job: Job): string => workPrefix(job) + STRIP_FACTS_FILE;
