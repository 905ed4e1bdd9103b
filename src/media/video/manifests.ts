/** All playlists and the manifest of a presentation, as texts by their names below the generation's prefix. */
import { dashManifest } from './dash.js';
import { masterPlaylist } from './hls-master.js';
import { iframePlaylist, mediaPlaylist, subtitlePlaylist, targetDuration } from './hls.js';
import { IFRAMES_FILE, MANIFEST_FILE, MASTER_FILE, MIME, PLAYLIST_FILE, streamUri, subtitleUri } from './layout.js';
import type { Presentation } from './presentation.js';

/**
 * Whatever names a file comes after it.
 *
 * @param subtitleSeconds of every WebVTT segment
 */
export function manifestFiles(presentation: Presentation, subtitleSeconds: readonly number[]): Map<string, string> {
  const { video, audio, subtitles } = presentation;
  const target = targetDuration(presentation);
  const files = new Map<string, string>();
  for (const { rung, timeline, iframes } of video) {
    const folder = streamUri('video', rung.name);
    files.set(folder + PLAYLIST_FILE, mediaPlaylist(timeline, target));
    if (iframes) files.set(folder + IFRAMES_FILE, iframePlaylist(timeline, iframes, target));
  }
  for (const { track, timeline } of audio)
    files.set(streamUri('audio', track.name) + PLAYLIST_FILE, mediaPlaylist(timeline, target));
  for (const { name } of subtitles) files.set(subtitleUri(name) + PLAYLIST_FILE, subtitlePlaylist(subtitleSeconds));
  files.set(MASTER_FILE, masterPlaylist(presentation));
  files.set(MANIFEST_FILE, dashManifest(presentation));
  return files;
}

export const manifestMime = (name: string): string => (name === MANIFEST_FILE ? MIME.manifest : MIME.playlist);
