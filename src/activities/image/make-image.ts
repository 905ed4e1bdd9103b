/** The whole way of an image in one activity: for what takes half a second, every further step would cost more than its work. */
import { join } from 'node:path';

import type { ImageOutcome } from '../../contracts/activities.js';
import type { AssetDocument, Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { Rendition } from '../../contracts/renditions.js';
import { planImage } from '../../media/image/plan.js';
import { SNIFF_BYTES, sniff } from '../../media/sniff.js';
import type { ImageSlot } from '../../tools/tools.js';
import { announceState, publishAsset, publishedBefore, renditionDocument } from '../announce.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { readHead } from '../untrusted-file.js';
import { makeVariants, type FinishedVariant } from './make-variants.js';
import { openPicture } from './open-picture.js';
import { imageKey, uploadVariants } from './upload-variants.js';

const SOURCE = 'source';

type Made = { readonly outcome: 'made'; readonly finished: readonly FinishedVariant[]; readonly reader: string };

export function createMakeImage(context: ActivityContext) {
  const { config, logger, scratch, tools } = context;
  return activity(logger, async (scope, job: Job, startedAt: string): Promise<ImageOutcome> => {
    const before = await publishedBefore(context, job);
    if (before) return { outcome: 'ready', renditions: withKeys(job, before), reader: 'earlier attempt' };

    await scratch.ensureRoom();
    const made = await tools.withImageSlot((slot) => make(context, scope, slot, job), { signal: scope.signal });
    if (made.outcome === 'media') return made;

    scope.report({ step: 'upload', what: 'variants', percent: 70 });
    const { mediaBucket } = config.storage;
    const renditions = await uploadVariants(context.store, mediaBucket, job, made.finished, scope.signal);
    scope.report({ step: 'publish', what: 'asset.json', percent: 90 });
    await publish(context, scope, job, startedAt, renditions);
    scope.logger.info('image ready', { assetId: job.assetId, reader: made.reader, renditions: renditions.length });
    return { outcome: 'ready', renditions, reader: made.reader };
  });
}

/** Everything that needs the slot; uploads wait for the network without keeping a decoder from others. */
async function make(
  context: ActivityContext,
  scope: ActivityScope,
  slot: ImageSlot,
  job: Job,
): Promise<Made | { readonly outcome: 'media' }> {
  const { config, tools } = context;
  const { signal } = scope;
  scope.report({ step: 'download', what: SOURCE, percent: 0 });
  if (!(await fetchSource(context, slot, job, signal))) return { outcome: 'media' };

  scope.report({ step: 'inspect', what: SOURCE, percent: 20 });
  const { kind, mime } = await sniff(await readHead(join(slot.dir, SOURCE), SNIFF_BYTES));
  if (kind === 'media' || !mime) return { outcome: 'media' };
  await announceState(context, job, { to: 'processing', by: scope.info.activityType, kind: 'image' });
  const picture = await openPicture({ tools, slot, limits: config.limits, signal }, SOURCE, mime);

  scope.report({ step: 'encode', what: 'variants', percent: 30 });
  const plan = planImage(picture.facts, picture.reader, context.profiles.get(job.profile).image);
  const finished = await makeVariants(slot, picture.file, plan.variants);
  return { outcome: 'made', finished, reader: plan.reader };
}

/** @returns false when it is too large for an image, but might yet be a video that was taken for one. */
async function fetchSource(
  { config, store }: ActivityContext,
  slot: ImageSlot,
  job: Job,
  signal: AbortSignal,
): Promise<boolean> {
  const { bucket, key, versionId, etag } = job.source;
  if (key.endsWith('/')) throw new MediaError('OBJECT_IS_DIRECTORY');
  const maxBytes = config.limits.maxImageMiB * 1024 ** 2;
  try {
    await store.download(bucket, key, join(slot.dir, SOURCE), { versionId, etag, maxBytes, signal });
    return true;
  } catch (error) {
    if (MediaError.is(error) && error.code === 'LIMIT_BYTES' && !job.corrected) return false;
    throw error;
  }
}

async function publish(
  context: ActivityContext,
  scope: ActivityScope,
  job: Job,
  startedAt: string,
  renditions: readonly Rendition[],
): Promise<void> {
  const { config, store } = context;
  const { mediaBucket } = config.storage;
  const documents = renditions.map((rendition) => renditionDocument(store, mediaBucket, rendition));
  const now = new Date().toISOString();
  const document: AssetDocument = {
    id: job.assetId,
    workflowId: job.workflowId,
    kind: 'image',
    state: 'ready',
    source: job.source,
    renditions: documents,
    playback: {},
    timings: { uploadedAt: job.uploadedAt, startedAt, playableAt: now, readyAt: now },
  };
  await publishAsset(context, scope, job, document);
}

const withKeys = (job: Job, { renditions }: AssetDocument): Rendition[] =>
  renditions.map(({ url: _url, ...rest }) => ({ ...rest, key: imageKey(job, rest.name) }));
