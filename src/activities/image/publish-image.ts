/** The last step of an image: `asset.json`, events, the switch. */
import type { ImageActivities, ImageOutcome, MadeImage, MissingPart } from '../../contracts/activities.js';
import type { AssetDocument, Job } from '../../contracts/assets.js';
import { ownerOf } from '../../catalogue/lifecycle.js';
import { workPrefix } from '../../media/video/layout.js';
import { publishAsset, publishedBefore, renditionDocument } from '../announce.js';
import type { ActivityContext } from '../context.js';
import { onward } from '../deliver/onward.js';
import { releaseAtOnce } from '../lifecycle/release-source.js';
import { activity, type ActivityScope } from '../scope.js';
import { imageKey } from './upload-variants.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'catalogue' | 'db' | 'results' | 'profiles'>;

type Published = ImageOutcome & { readonly outcome: 'ready' };

export function createPublishImage(context: Needs): ImageActivities['publishImage'] {
  const { config, logger, store } = context;
  return activity(
    logger,
    async (
      scope,
      job: Job,
      startedAt: string,
      made: MadeImage,
      missing: readonly MissingPart[],
    ): Promise<Published> => {
      const before = await publishedImage(context, job);
      if (before) return before;
      scope.report({ step: 'publish', what: 'asset.json', percent: 50 });
      // What the loops were made of.
      await store.removePrefix(config.storage.mediaBucket, workPrefix(job));
      return publishImage(context, scope, job, startedAt, made, missing);
    },
  );
}

/** @throws MediaError OBJECT_GONE when another generation won */
export async function publishImage(
  context: Needs,
  scope: ActivityScope,
  job: Job,
  startedAt: string,
  { renditions, image, reader }: MadeImage,
  missing: readonly MissingPart[] = [],
): Promise<Published> {
  const { config, store } = context;
  const now = new Date().toISOString();
  const document: AssetDocument = {
    id: job.assetId,
    workflowId: job.workflowId,
    kind: 'image',
    state: missing.length > 0 ? 'partial' : 'ready',
    source: job.source,
    renditions: renditions.map((rendition) => renditionDocument(store, config.storage.mediaBucket, rendition)),
    playback: {},
    image,
    ...(missing.length > 0 && { missing }),
    timings: { uploadedAt: job.uploadedAt, startedAt, playableAt: now, readyAt: now },
  };
  await publishAsset(context, scope, job, document);
  await releaseAtOnce(context, scope, job, document.state);
  scope.logger.info(`image ${document.state}`, { assetId: job.assetId, reader, renditions: renditions.length });
  return { outcome: 'ready', renditions, reader, ...(missing.length > 0 && { missing }), ...onward(context, job) };
}

/** What an earlier attempt published that died before it could say so. */
export async function publishedImage(context: Needs, job: Job): Promise<Published | undefined> {
  const before = await publishedBefore(context, job);
  if (!before) return undefined;
  return { ...publishedAs(job, before, 'earlier attempt'), ...onward(context, job) };
}

/** What a document says that is published, as the step's answer. */
export function publishedAs(
  job: Job,
  { renditions, missing, outputsPrefix }: AssetDocument,
  reader: string,
): Published {
  const place = outputsPrefix === undefined ? job : ownerOf(outputsPrefix)!;
  return {
    outcome: 'ready',
    renditions: renditions.map(({ url: _url, ...rest }) => ({ ...rest, key: imageKey(place, rest.name) })),
    reader,
    ...(missing && { missing }),
  };
}
