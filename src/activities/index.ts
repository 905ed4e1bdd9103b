/** All activities, by the kind of worker that offers them. */
import type {
  ImageActivities,
  MediaActivities,
  PublishActivities,
  ReservationActivities,
  VideoActivities,
} from '../contracts/activities.js';
import type { IngestActivities } from '../contracts/ingest.js';
import type { HousekeepingActivities, LifecycleActivities } from '../contracts/lifecycle.js';
import type { WebhookActivities } from '../contracts/webhooks.js';
import { onlyWhileAlive } from './alive.js';
import { createAnnouncePlayable } from './announce-playable.js';
import type { ActivityContext } from './context.js';
import { createAwaitTwin } from './dedupe/await-twin.js';
import { createAnnounceDeadline } from './deadlines/announce-deadline.js';
import { createHashSource } from './dedupe/hash-source.js';
import { createDeliver } from './deliver/deliver.js';
import { createReleasePublisher, createReservePublisher } from './deliver/reserve.js';
import { createDiscardOutputs } from './ending/discard-outputs.js';
import { createRecordEnd } from './ending/record-end.js';
import { createApplyRetention } from './housekeeping/apply-retention.js';
import { createSweepAssets } from './housekeeping/sweep-assets.js';
import { createSweepStore } from './housekeeping/sweep-store.js';
import { createSweepUploads } from './housekeeping/sweep-uploads.js';
import { createMakeImage } from './image/make-image.js';
import { createMakeLoop } from './image/make-loop.js';
import { createMakePoster } from './image/make-poster.js';
import { createMakeStoryboard } from './image/make-storyboard.js';
import { createPublishImage } from './image/publish-image.js';
import { createAwaitAsset } from './ingest/await-asset.js';
import { createPurgeAsset } from './lifecycle/purge-asset.js';
import { createLoadPlan } from './load-plan.js';
import { createPublishMedia } from './publish/publish-media.js';
import { createSimulateEncode } from './simulated/simulate-encode.js';
import { createCopyRung } from './video/copy-rung.js';
import { createEncodeAudio } from './video/encode-audio.js';
import { createEncodeChunk } from './video/encode-chunk.js';
import { createInspectMedia } from './video/inspect.js';
import { createMakeSubtitles } from './video/make-subtitles.js';
import { createPreviewAudio } from './video/preview-audio.js';
import { createAttemptDelivery, createGiveUpDelivery } from './webhooks/attempt-delivery.js';

export interface Activities {
  readonly media: MediaActivities &
    LifecycleActivities &
    HousekeepingActivities &
    WebhookActivities &
    IngestActivities &
    PublishActivities;
  readonly video: VideoActivities;
  readonly image: ImageActivities;
  readonly publish: PublishActivities & ReservationActivities;
}

export function createActivities(outside: ActivityContext): Activities {
  const context = onlyWhileAlive(outside);
  const publish = { publishMedia: createPublishMedia(context), deliver: createDeliver(context) };
  return {
    media: {
      awaitTwin: createAwaitTwin(context),
      announcePlayable: createAnnouncePlayable(context),
      announceDeadline: createAnnounceDeadline(context),
      loadPlan: createLoadPlan(context),
      recordEnd: createRecordEnd(context),
      discardOutputs: createDiscardOutputs(context),
      purgeAsset: createPurgeAsset(context),
      applyRetention: createApplyRetention(context),
      sweepUploads: createSweepUploads(context),
      sweepAssets: createSweepAssets(context),
      sweepStore: createSweepStore(context),
      attemptDelivery: createAttemptDelivery(context),
      giveUpDelivery: createGiveUpDelivery(context),
      simulateEncode: createSimulateEncode(context),
      awaitAsset: createAwaitAsset(context),
      // For workflows that were begun when publishing had no queue of its own.
      ...publish,
    },
    video: {
      inspectMedia: createInspectMedia(context),
      hashSource: createHashSource(context),
      encodeChunk: createEncodeChunk(context),
      copyRung: createCopyRung(context),
      encodeAudio: createEncodeAudio(context),
      previewAudio: createPreviewAudio(context),
      makeSubtitles: createMakeSubtitles(context),
      makeLoop: createMakeLoop(context),
    },
    image: {
      makeImage: createMakeImage(context),
      publishImage: createPublishImage(context),
      makePoster: createMakePoster(context),
      makeStoryboard: createMakeStoryboard(context),
    },
    publish: {
      ...publish,
      reservePublisher: createReservePublisher(context),
      releasePublisher: createReleasePublisher(context),
    },
  };
}
