/** Puts the media playlists and then the master into the store: whatever names a file is written after it. */
import type { Job } from '../../contracts/assets.js';
import type { VideoPlan } from '../../contracts/plan.js';
import { masterKey, MIME, PLAYLIST_FILE, streamPrefix, streamUri } from '../../media/video/layout.js';
import { masterPlaylist, mediaPlaylist } from '../../media/video/playlists.js';
import type { VerifiedStream } from '../../media/video/verify.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { IMMUTABLE } from '../cache-control.js';

interface Destination {
  readonly store: Pick<ObjectStore, 'putBytes'>;
  readonly bucket: string;
  readonly signal: AbortSignal;
}

export async function writePlaylists(
  to: Destination,
  job: Job,
  plan: VideoPlan,
  streams: readonly VerifiedStream[],
): Promise<void> {
  for (const { type, name, durations } of streams) {
    await put(to, streamPrefix(job, type, name) + PLAYLIST_FILE, mediaPlaylist(durations));
  }
  await put(to, masterKey(job), masterOf(plan, streams));
}

function masterOf(plan: VideoPlan, streams: readonly VerifiedStream[]): string {
  const variant = ({ type, name, codecs, peak, average }: VerifiedStream) => ({
    codecs,
    bandwidth: { peak, average },
    uri: streamUri(type, name) + PLAYLIST_FILE,
  });
  const { grid } = plan;
  const passed = (name: string) => streams.filter((stream) => stream.name === name);
  return masterPlaylist(
    grid
      ? plan.rungs.flatMap((rung) => passed(rung.name).map((stream) => ({ rung, fps: grid.fps, ...variant(stream) })))
      : [],
    plan.audio.flatMap((track) => passed(track.name).map((stream) => ({ track, ...variant(stream) }))),
  );
}

async function put({ store, bucket, signal }: Destination, key: string, text: string): Promise<void> {
  await store.putBytes(bucket, key, Buffer.from(text), {
    contentType: MIME.playlist,
    cacheControl: IMMUTABLE,
    signal,
  });
}
