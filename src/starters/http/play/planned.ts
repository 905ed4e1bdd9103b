/** Playlists and manifest of an asset that is being encoded: all of them follow from its plan. */
import type { VideoPlan } from '../../../contracts/plan.js';
import { AUDIO_SEGMENT_SECONDS } from '../../../media/video/audio-args.js';
import { dashManifest } from '../../../media/video/dash.js';
import { masterPlaylist } from '../../../media/video/hls-master.js';
import { mediaPlaylist, subtitlePlaylist, targetDuration } from '../../../media/video/hls.js';
import { MANIFEST_FILE, MASTER_FILE, PLAYLIST_FILE, streamUri, subtitleUri } from '../../../media/video/layout.js';
import { plannedPresentation, type Timeline } from '../../../media/video/presentation.js';

/** @returns undefined for what there is none of before all is encoded, such as playlists of I-frames */
export type Documents = (path: string) => string | undefined;

/** Complete from the first second on, with all segments that will be there: a player sees a finished video. */
export function plannedDocuments(plan: VideoPlan): Documents {
  const presentation = plannedPresentation(
    plan,
    plan.subtitles.map(({ name }) => name),
  );
  const { video, audio, subtitles } = presentation;
  const target = targetDuration(presentation);
  const media = (timeline: Timeline) => () => mediaPlaylist(timeline, target);
  const writers = new Map<string, () => string>([
    [MASTER_FILE, () => masterPlaylist(presentation)],
    [MANIFEST_FILE, () => dashManifest(presentation)],
    ...video.map(({ rung, timeline }) => playlist(streamUri('video', rung.name), media(timeline))),
    ...audio.map(({ track, timeline }) => playlist(streamUri('audio', track.name), media(timeline))),
    ...subtitles.map(({ name }) => playlist(subtitleUri(name), () => subtitlePlaylist(subtitleDurations(plan)))),
  ]);
  const written = new Map<string, string>();
  return (path) => {
    const known = written.get(path);
    if (known !== undefined) return known;
    const text = writers.get(path)?.();
    if (text !== undefined) written.set(path, text);
    return text;
  };
}

const playlist = (folder: string, write: () => string) => [folder + PLAYLIST_FILE, write] as const;

/** Seconds of each WebVTT segment: they go along with those of the picture. */
function subtitleDurations({ facts }: VideoPlan): number[] {
  const count = Math.max(1, Math.ceil(facts.duration / AUDIO_SEGMENT_SECONDS));
  return Array.from({ length: count }, (_, i) =>
    Math.min(AUDIO_SEGMENT_SECONDS, facts.duration - i * AUDIO_SEGMENT_SECONDS),
  );
}
