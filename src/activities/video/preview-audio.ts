/** A few segments of a sound track as it is, to be heard until the measured and continuous encode is there. */
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { AudioTrack, Chunk, VideoPlan } from '../../contracts/plan.js';
import { previewAudioRun, type PreviewRun } from '../../media/video/audio-args.js';
import { aacFrames, audioSegment } from '../../media/video/audio-fragments.js';
import { damagedFrames } from '../../media/video/damage.js';
import { INIT_FILE, MIME, previewPrefix, segmentName } from '../../media/video/layout.js';
import type { ActivityContext } from '../context.js';
import { activity } from '../scope.js';
import { readRegularFile } from '../untrusted-file.js';
import { runFfmpeg } from './run-ffmpeg.js';
import { NeedsWholeSource, withSource, type OpenSource } from './with-source.js';

/**
 * Segments below `previewPrefix`, under the names of the final ones. They hold the frames that the final ones
 * will, not yet at their loudness, and share their init segment: a player may change from one to the other
 * at any segment. The init segment is written last: where it is, the first preview is whole.
 */
export function createPreviewAudio(context: ActivityContext) {
  return activity(
    context.logger,
    async (scope, job: Job, plan: VideoPlan, track: AudioTrack, chunk: Chunk): Promise<void> => {
      const run = previewAudioRun(plan, track, chunk);
      if (run.segments.length === 0) return;
      const { fromSeconds, toSeconds } = run;
      const window = { index: plan.facts.index, fromSeconds, toSeconds, streams: [track.streamIndex] };
      const make = async (dir: string, { sliced }: OpenSource): Promise<Part[]> => {
        scope.report({ step: 'encode', what: track.name, percent: 0 });
        const mediaSeconds = plan.facts.seekable ? toSeconds - fromSeconds : toSeconds;
        const { command } = run;
        const { stderr } = await runFfmpeg(context, scope, {
          command,
          dir,
          folders: [track.name],
          mediaSeconds,
          viewerWaits: true,
        });
        if (sliced && damagedFrames(stderr) > 0) throw new NeedsWholeSource('its sound has holes');
        const [init, whole] = await Promise.all(
          [INIT_FILE, segmentName(0)].map((name) => readRegularFile(join(dir, track.name, name))),
        );
        if (!init || !whole) throw new MediaError('VERIFY_FAILED', `${track.name}: no preview was written.`);
        return [...cut(whole, run, chunk.firstSegment, track.name), { name: INIT_FILE, bytes: init }];
      };
      const parts = await withSource(context, scope, job, `${track.name}-preview`, make, window);

      const options = { contentType: MIME.audio, signal: scope.signal };
      const put = ({ name, bytes }: Part): Promise<boolean> =>
        context.store.putIfAbsent(
          context.config.storage.mediaBucket,
          previewPrefix(job, track.name) + name,
          bytes,
          options,
        );
      await Promise.all(parts.filter(({ name }) => name !== INIT_FILE).map(put));
      await Promise.all(parts.filter(({ name }) => name === INIT_FILE).map(put));
      scope.logger.info('audio previewed', { assetId: job.assetId, track: track.name, ...chunk });
    },
  );
}

interface Part {
  readonly name: string;
  readonly bytes: Buffer;
}

/** @throws MediaError VERIFY_FAILED when the run wrote more or fewer frames than it was asked for */
function cut(
  whole: Buffer,
  { firstFrame, preroll, postroll, segments }: PreviewRun,
  firstSegment: number,
  name: string,
): Part[] {
  const wanted = segments.reduce((sum, frames) => sum + frames, 0);
  const made = framesOf(whole);
  if (made.length !== preroll + wanted + postroll)
    throw new MediaError('VERIFY_FAILED', `${name}: a preview of ${wanted} frames has ${made.length}.`);
  const frames = made.slice(preroll);
  let done = 0;
  return segments.map((count, i) => {
    const segment = firstSegment + i;
    const from = done;
    done += count;
    return {
      name: segmentName(segment),
      bytes: audioSegment(segment, firstFrame + from, frames.slice(from, done)),
    };
  });
}

function framesOf(whole: Buffer): Buffer[] {
  try {
    return aacFrames(whole);
  } catch (cause) {
    throw new MediaError('VERIFY_FAILED', 'The encoder wrote a segment that can not be read.', { cause });
  }
}
