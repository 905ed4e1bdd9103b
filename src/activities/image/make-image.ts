/** The whole way of an image in one activity: for what takes half a second, every further step would cost more than its work. */
import { link } from 'node:fs/promises';
import { join } from 'node:path';

import type { ImageOutcome, MadeImage } from '../../contracts/activities.js';
import type { AssetDocument, Job } from '../../contracts/assets.js';
import { heldBackFor } from '../../contracts/deadlines.js';
import type { FocalPoint, ImageFacts, ImagePlan, ImageTraits } from '../../contracts/image.js';
import type { Profile } from '../../contracts/profile.js';
import type { Rendition } from '../../contracts/renditions.js';
import { focalPointOf } from '../../media/image/focal-point.js';
import { pictureElement } from '../../media/image/picture-element.js';
import { planImage } from '../../media/image/plan.js';
import { SNIFF_BYTES, sniff } from '../../media/sniff.js';
import type { ObjectStore } from '../../storage/object-store.js';
import type { ImageSlot } from '../../tools/tools.js';
import { beginWork } from '../begin-work.js';
import type { ActivityContext } from '../context.js';
import { contentOf } from '../dedupe/content.js';
import { onward } from '../deliver/onward.js';
import { activity, type ActivityScope } from '../scope.js';
import { readHead } from '../untrusted-file.js';
import { fetchSource } from './fetch-source.js';
import { makeVariants } from './make-variants.js';
import { openPicture, opensAs } from './open-picture.js';
import { withRealAlpha } from './real-alpha.js';
import { publishedAs, publishImage, publishedImage } from './publish-image.js';
import { withQuarantine } from './quarantine.js';
import { putStrip, readStrip, type FinishedStrip } from './strip.js';
import { twinOf } from './twin.js';
import { imageKey, Uploads } from './upload-variants.js';

const SOURCE = 'source';

interface Made {
  readonly outcome: 'made';
  readonly plan: ImagePlan;
  readonly traits: ImageTraits;
  readonly sha256: string;
  /** Of an animation of which loops are planned. */
  readonly strip?: FinishedStrip | undefined;
}

/** Published, by what another asset of the same bytes had published. */
interface Twin {
  readonly outcome: 'twin';
  readonly document: AssetDocument;
}

export function createMakeImage(context: ActivityContext) {
  const { config, logger, profiles, scratch, store } = context;
  return activity(
    logger,
    async (scope, job: Job, startedAt: string): Promise<ImageOutcome> => {
      const before = await publishedImage(context, job);
      if (before) return before;

      const profile = profiles.get(job.profile);
      const shelf = { store, bucket: config.storage.mediaBucket, job };
      const uploads = new Uploads(shelf, scope.signal);
      try {
        const made = await scratch.withJobDir(job.assetId, (dir) =>
          make(context, scope, { job, startedAt, profile }, dir, uploads),
        );
        if (made.outcome === 'media') return made;
        if (made.outcome === 'twin')
          return { ...publishedAs(job, made.document, 'another asset of the same bytes'), ...onward(context, job) };
        scope.report({ step: 'upload', what: 'variants', percent: 80 });
        const renditions = inOrder(await uploads.all(), made.plan);
        const done = { renditions, image: factsOf(made, job, shelf), reader: made.plan.reader } satisfies MadeImage;
        if (made.strip) {
          await putStrip(shelf, made.strip, scope.signal);
          return { outcome: 'animated', made: done, loops: made.plan.loops };
        }
        // Its workflow waits, and not in a place that others need.
        if (heldBackFor(job.publishNotBefore, Date.now()) > 0) return { outcome: 'animated', made: done, loops: [] };
        scope.report({ step: 'publish', what: 'asset.json', percent: 90 });
        return await publishImage(context, scope, job, startedAt, done);
      } catch (error) {
        await uploads.abandon(error);
        throw error;
      }
    },
    { isBrief: true },
  );
}

/** Whoever waits for the network has no slot: variants leave while others are encoded, and before it there is the source. */
async function make(
  context: ActivityContext,
  scope: ActivityScope,
  { job, startedAt, profile }: { readonly job: Job; readonly startedAt: string; readonly profile: Profile },
  dir: string,
  uploads: Uploads,
): Promise<Made | Twin | { readonly outcome: 'media' }> {
  const { config, tools } = context;
  const { signal } = scope;
  scope.report({ step: 'download', what: SOURCE, percent: 0 });
  const sha256 = await fetchSource(context, job, dir, SOURCE, signal);
  if (sha256 === undefined) return { outcome: 'media' };

  scope.report({ step: 'inspect', what: SOURCE, percent: 20 });
  const { kind, mime } = await sniff(await readHead(join(dir, SOURCE), SNIFF_BYTES));
  if (kind === 'media' || !mime) return { outcome: 'media' };
  await beginWork(context, job, { to: 'processing', by: scope.info.activityType, kind: 'image' });

  const document = await twinOf(context, scope, job, contentOf(context, job, sha256), startedAt);
  if (document) return { outcome: 'twin', document };

  const decode = async (slot: ImageSlot): Promise<Made> => {
    await link(join(dir, SOURCE), join(slot.dir, SOURCE));
    const picture = await openPicture({ tools, slot, limits: config.limits, signal }, SOURCE, mime);
    const facts = await withRealAlpha(slot, picture);
    const plan = planImage(facts, picture.reader, profile.image, focalPoint(job, scope));
    scope.report({ step: 'encode', what: 'variants', percent: 30 });
    const { traits } = await makeVariants(slot, picture.file, plan.variants, (one) => uploads.add(one));
    const [loop] = plan.loops;
    const strip = loop && (await readStrip(slot, picture.file, loop));
    return { outcome: 'made', plan, traits, sha256, strip };
  };
  return withQuarantine(context, scope, job, sha256, () =>
    tools.withImageSlot(decode, { signal, opens: opensAs(mime) }),
  );
}

function focalPoint({ assetId, metadata }: Job, { logger }: ActivityScope): FocalPoint | undefined {
  const point = focalPointOf(metadata);
  if (point !== 'invalid') return point;
  logger.warn('its focal point is none: the middle is kept', { assetId });
  return undefined;
}

/** They finish as they please. */
function inOrder(renditions: readonly Rendition[], { variants }: ImagePlan): Rendition[] {
  const byName = new Map(renditions.map((rendition) => [rendition.name, rendition]));
  return variants.flatMap(({ name }) => byName.get(name) ?? []);
}

function factsOf(
  { plan, traits, sha256 }: Made,
  job: Job,
  { store, bucket }: { readonly store: ObjectStore; readonly bucket: string },
): ImageFacts {
  const { width, height, format, frames, hasAlpha, variants } = plan;
  const published = variants.map((variant) => ({
    ...variant,
    url: store.publicUrl(bucket, imageKey(job, variant.name)),
  }));
  return { width, height, format, frames, hasAlpha, sha256, ...traits, picture: pictureElement(published) };
}
