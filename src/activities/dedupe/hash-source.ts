/** The SHA-256 of an upload that came without one. */
import { createHash } from 'node:crypto';

import { claimContent, noteSha256 } from '../../catalogue/contents.js';
import type { Job } from '../../contracts/assets.js';
import { heldBackFor } from '../../contracts/deadlines.js';
import type { ActivityContext } from '../context.js';
import { activity, assertAlive, type ActivityScope } from '../scope.js';
import { statSource } from '../video/movie-source.js';
import { contentOf } from './content.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'db'>;

const MIB = 1024 ** 2;
/** Held in memory. */
const CHUNK = 8 * MIB;

/** Beside the making of its outputs: later uploads of the same bytes find it by this. */
export function createHashSource(context: Needs & Pick<ActivityContext, 'logger' | 'profiles'>) {
  const { logger, db } = context;
  return activity(logger, async (scope, job: Job): Promise<void> => {
    const { bytes } = await statSource(context, job.source, scope.signal);
    const sha256 = await digest(context, scope, job, bytes);
    // Somebody else may have it: then both are made, and the other one is found.
    if (heldBackFor(job.publishNotBefore, Date.now()) <= 0)
      await claimContent(db, contentOf(context, job, sha256), job);
    await noteSha256(db, job.assetId, sha256);
  });
}

/**
 * Reads the whole upload, and writes down what it found.
 *
 * @param bytes of the upload
 * @returns 64 hexadecimal digits
 */
export async function hashSource(
  context: Needs,
  scope: Pick<ActivityScope, 'signal' | 'report'>,
  job: Job,
  bytes: number,
): Promise<string> {
  const sha256 = await digest(context, scope, job, bytes);
  await noteSha256(context.db, job.assetId, sha256);
  return sha256;
}

async function digest(
  { store }: Pick<Needs, 'store'>,
  { signal, report }: Pick<ActivityScope, 'signal' | 'report'>,
  { source: { bucket, key, versionId, etag } }: Job,
  bytes: number,
): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < bytes; offset += CHUNK) {
    hash.update(await store.readRange(bucket, key, offset, CHUNK, { versionId, etag, signal }));
    report({ step: 'inspect', what: 'checksum', percent: Math.round((offset / bytes) * 100) });
  }
  assertAlive();
  return hash.digest('hex');
}
