/** All activities, by the kind of worker that offers them. */
import type { ImageActivities, MediaActivities, VideoActivities } from '../contracts/activities.js';
import { onlyWhileAlive } from './alive.js';
import type { ActivityContext } from './context.js';
import { createDiscardOutputs } from './ending/discard-outputs.js';
import { createRecordEnd } from './ending/record-end.js';
import { createMakeImage } from './image/make-image.js';
import { createMakePoster } from './image/make-poster.js';
import { createMakeStoryboard } from './image/make-storyboard.js';
import { createPublishMedia } from './publish/publish-media.js';
import { createCopyRung } from './video/copy-rung.js';
import { createEncodeAudio } from './video/encode-audio.js';
import { createEncodeChunk } from './video/encode-chunk.js';
import { createInspectMedia } from './video/inspect.js';

export interface Activities {
  readonly media: MediaActivities;
  readonly video: VideoActivities;
  readonly image: ImageActivities;
}

export function createActivities(outside: ActivityContext): Activities {
  const context = onlyWhileAlive(outside);
  return {
    media: {
      publishMedia: createPublishMedia(context),
      recordEnd: createRecordEnd(context),
      discardOutputs: createDiscardOutputs(context),
    },
    video: {
      inspectMedia: createInspectMedia(context),
      encodeChunk: createEncodeChunk(context),
      copyRung: createCopyRung(context),
      encodeAudio: createEncodeAudio(context),
    },
    image: {
      makeImage: createMakeImage(context),
      makePoster: createMakePoster(context),
      makeStoryboard: createMakeStoryboard(context),
    },
  };
}
