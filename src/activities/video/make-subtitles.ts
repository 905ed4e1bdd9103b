/** Embedded text subtitles to WebVTT: whole for DASH, in segments for HLS. */
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import type { SubtitleTrack, VideoPlan } from '../../contracts/plan.js';
import { subtitleSegmentName } from '../../media/video/hls.js';
import { MIME, SUBTITLE_FILE, subtitlePrefix } from '../../media/video/layout.js';
import {
  cuesBySegment,
  decodeText,
  isStyled,
  subtitleDurations,
  subtitlesCommand,
  subtitleSource,
  withinPicture,
} from '../../media/video/subtitles.js';
import { cuesOfAss, webVtt, type Cue } from '../../media/video/webvtt.js';
import { IMMUTABLE } from '../cache-control.js';
import type { ActivityContext } from '../context.js';
import { activity } from '../scope.js';
import { readRegularFile } from '../untrusted-file.js';
import { runFfmpeg } from './run-ffmpeg.js';
import { withSource } from './with-source.js';

/** Objects on their way to the store at once. */
const PARALLEL = 8;

/**
 * @returns names of the tracks that say something; of a track without a cue nothing is kept
 */
export function createMakeSubtitles(context: ActivityContext) {
  return activity(context.logger, async (scope, job: Job, plan: VideoPlan): Promise<string[]> => {
    if (plan.subtitles.length === 0) return [];
    const durations = subtitleDurations(plan);
    const seconds = durations.reduce((sum, duration) => sum + duration, 0);
    const tracks = await withSource(context, scope, job, 'subtitles', async (dir) => {
      scope.report({ step: 'encode', what: 'subtitles', percent: 0 });
      await runFfmpeg(context, scope, {
        command: subtitlesCommand(plan),
        dir,
        mediaSeconds: plan.facts.duration,
        // It costs less than a second of a core, and players ask for it as soon as they play.
        viewerWaits: true,
        onProgress: ({ outTime }) =>
          scope.report({ step: 'encode', what: 'subtitles', percent: Math.min(100, (outTime / seconds) * 100) }),
      });
      const read = async (track: SubtitleTrack): Promise<{ name: string; cues: Cue[] }> => {
        const bytes = await readRegularFile(join(dir, subtitleSource(track)));
        const cues = bytes ? cuesOfAss(decodeText(bytes), isStyled(plan, track)) : [];
        return { name: track.name, cues: withinPicture(cues, seconds) };
      };
      return Promise.all(plan.subtitles.map(read));
    });
    const made = tracks.filter(({ cues }) => cues.length > 0);
    for (const { name, cues } of made) {
      const segments = cuesBySegment(cues, durations.length);
      const put = (file: string, text: string): Promise<boolean> =>
        context.store.putIfAbsent(
          context.config.storage.mediaBucket,
          subtitlePrefix(job, name) + file,
          Buffer.from(text),
          { contentType: MIME.subtitles, cacheControl: IMMUTABLE, signal: scope.signal },
        );
      for (let from = 0; from < segments.length; from += PARALLEL) {
        scope.report({ step: 'upload', what: name, percent: (from / segments.length) * 100 });
        const some = segments.slice(from, from + PARALLEL);
        await Promise.all(some.map((own, i) => put(subtitleSegmentName(from + i), webVtt(own, true))));
      }
      await put(SUBTITLE_FILE, webVtt(cues, false));
    }
    scope.logger.info('subtitles made', { assetId: job.assetId, tracks: made.map(({ name }) => name) });
    return made.map(({ name }) => name);
  });
}
