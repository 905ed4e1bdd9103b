/** A video whose bytes are another asset's already. */
import type { Inspection } from '../../contracts/activities.js';
import { hasSameSize } from '../../catalogue/contents.js';
import type { Job } from '../../contracts/assets.js';
import type { ActivityContext } from '../context.js';
import { contentOf } from '../dedupe/content.js';
import { hashSource } from '../dedupe/hash-source.js';
import { settle } from '../dedupe/settle.js';
import { onward } from '../deliver/onward.js';
import { resultOf } from '../publish/document.js';
import type { ActivityScope } from '../scope.js';

/**
 * Reading all of a long video takes a while, and a viewer waits: that is done first only where there is reason to think
 * that the same bytes are there already, and else beside the encoding.
 *
 * @param bytes of the upload
 * @returns undefined where nobody knows it yet
 */
export async function knownSha256(
  context: Pick<ActivityContext, 'config' | 'store' | 'db' | 'catalogue'>,
  scope: ActivityScope,
  job: Job,
  bytes: number,
): Promise<string | undefined> {
  const known = job.source.sha256 ?? (await context.catalogue.find(job.assetId))?.sourceSha256;
  if (known) return known;
  if (!(await hasSameSize(context.db, job, bytes))) return undefined;
  return hashSource(context, scope, job, bytes);
}

/** @returns undefined when this one is to be made */
export async function twinOf(
  context: Pick<ActivityContext, 'config' | 'profiles' | 'store' | 'db' | 'results'>,
  scope: ActivityScope,
  job: Job,
  sha256: string,
): Promise<Extract<Inspection, { outcome: 'twin' | 'published' }> | undefined> {
  const content = contentOf(context, job, sha256);
  const settled = await settle(context, scope, job, content, startOf(scope));
  if (settled.outcome === 'mine') return undefined;
  if (settled.outcome === 'busy') return { outcome: 'twin', sha256 };
  return { outcome: 'published', ...resultOf(settled.document), ...onward(context, job) };
}

/** ISO 8601. */
const startOf = ({ info }: ActivityScope): string => new Date(info.scheduledTimestampMs).toISOString();
