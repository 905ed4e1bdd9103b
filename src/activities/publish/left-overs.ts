/** What lies below a generation's prefix and belongs to nothing that is published: removed before the switch. */
import { outputPrefix, type Job } from '../../contracts/assets.js';
import type { Finding } from '../../contracts/activities.js';
import type { VideoPlan } from '../../contracts/plan.js';
import { subtitleSegmentName } from '../../media/video/hls.js';
import {
  INIT_FILE,
  madeKey,
  planKey,
  segmentName,
  STORYBOARD_URI,
  streamPrefix,
  streamUri,
  SUBTITLE_FILE,
  subtitlePrefix,
  subtitleUri,
} from '../../media/video/layout.js';
import { sheetsOf } from '../../media/video/stills.js';
import type { ObjectStore } from '../../storage/object-store.js';
import type { Verified } from './verify-outputs.js';

interface Media {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly signal: AbortSignal;
}

/** @param frames that there really are. @param manifests names of the playlists and the manifest */
export async function removeLeftOvers(
  { store, bucket, signal }: Media,
  job: Job,
  frames: number,
  { streams, pictures, presentation, subtitleSeconds }: Verified,
  manifests: Iterable<string>,
): Promise<number> {
  const prefix = outputPrefix(job.assetId, job.generation);
  const { storyboard } = presentation;
  const names = [
    'asset.json',
    ...manifests,
    ...streams.flatMap(({ type, name, timeline }) => [
      streamUri(type, name) + INIT_FILE,
      ...timeline.segments.map((_, segment) => streamUri(type, name) + segmentName(segment)),
    ]),
    ...presentation.subtitles.flatMap(({ name }) => [
      subtitleUri(name) + SUBTITLE_FILE,
      ...subtitleSeconds.map((_, segment) => subtitleUri(name) + subtitleSegmentName(segment)),
    ]),
    ...(storyboard ? sheetsOf(storyboard.plan, frames).map(({ name }) => STORYBOARD_URI + name) : []),
  ];
  const kept = new Set([
    ...names.map((name) => prefix + name),
    ...[planKey(job), madeKey(job)],
    ...pictures.map(({ key }) => key),
  ]);
  const orphans: string[] = [];
  for await (const { key } of store.list(bucket, prefix, { signal })) if (!kept.has(key)) orphans.push(key);
  if (orphans.length > 0) await store.remove(bucket, orphans);
  return orphans.length;
}

/** The first writer of a segment wins: what is at fault must go before it can be made again. */
export async function removeFaulty(
  { store, bucket }: Media,
  job: Job,
  { rungs, audio, subtitles }: VideoPlan,
  findings: readonly Finding[],
): Promise<void> {
  const folders = [
    ...rungs.map(({ name }) => ({ name, prefix: streamPrefix(job, 'video', name) })),
    ...audio.map(({ name }) => ({ name, prefix: streamPrefix(job, 'audio', name) })),
    ...subtitles.map(({ name }) => ({ name, prefix: subtitlePrefix(job, name) })),
  ];
  for (const { name, segments } of findings) {
    const prefix = folders.find((folder) => folder.name === name)?.prefix;
    if (prefix === undefined) continue;
    if (segments === undefined) await store.removePrefix(bucket, prefix);
    else {
      const numbers = segments.flatMap((run) => Array.from({ length: run.segments }, (_, i) => run.firstSegment + i));
      await store.remove(
        bucket,
        numbers.map((segment) => prefix + segmentName(segment)),
      );
    }
  }
}
