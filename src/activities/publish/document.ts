/** What is said of a published video or sound: `asset.json`, and the step's answer to its workflow. */
import type { MissingPart, PublishRequest, PublishResult } from '../../contracts/activities.js';
import type { AssetDocument, Timings } from '../../contracts/assets.js';
import type { Rendition } from '../../contracts/renditions.js';
import {
  manifestKey,
  masterKey,
  MIME,
  PLAYLIST_FILE,
  streamPrefix,
  SUBTITLE_FILE,
  subtitlePrefix,
  subtitleUri,
} from '../../media/video/layout.js';
import { durationOf } from '../../media/video/presentation.js';
import { renditionDocument } from '../announce.js';
import type { ActivityContext } from '../context.js';
import type { Verified } from './verify-outputs.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'catalogue'>;

export async function documentOf(
  { config, store, catalogue }: Needs,
  request: PublishRequest,
  verified: Verified,
  missing: readonly MissingPart[],
): Promise<AssetDocument> {
  const { job, plan } = request;
  const bucket = config.storage.mediaBucket;
  const url = (key: string | undefined): string | undefined => key && store.publicUrl(bucket, key);
  const { pictures } = verified;
  return {
    id: job.assetId,
    workflowId: job.workflowId,
    kind: plan.kind,
    state: missing.length > 0 ? 'partial' : 'ready',
    source: job.source,
    renditions: renditionsOf(request, verified).map((rendition) => renditionDocument(store, bucket, rendition)),
    playback: {
      hls: url(masterKey(job)),
      dash: url(manifestKey(job)),
      poster: url(pictures.find(({ type }) => type === 'poster')?.key),
      storyboard: url(pictures.find(({ type }) => type === 'storyboard')?.key),
    },
    missing: missing.length > 0 ? missing : undefined,
    timings: await timingsOf(catalogue, request),
  };
}

/** A repair changes what there is, not when it was first there; and a repeated one says the same again. */
async function timingsOf(catalogue: Needs['catalogue'], { job, startedAt, repair }: PublishRequest): Promise<Timings> {
  const published = repair ? (await catalogue.find(job.assetId))?.document?.timings : undefined;
  if (published) return published;
  const history = await catalogue.history(job.assetId);
  const playable = history.find(({ to, generation }) => to === 'playable' && generation === job.generation);
  const now = new Date().toISOString();
  return {
    uploadedAt: job.uploadedAt,
    startedAt,
    playableAt: playable?.at.toISOString() ?? now,
    readyAt: now,
  };
}

/** Names alone: the workflow keeps little. */
export function resultOf({ kind, state, renditions, missing }: AssetDocument): PublishResult {
  return {
    state: state === 'partial' ? 'partial' : 'ready',
    kind: kind!,
    renditions: renditions.map(({ name }) => name),
    missing: missing ?? [],
  };
}

function renditionsOf(
  { job, plan }: PublishRequest,
  { streams, presentation, pictures, listing }: Verified,
): Rendition[] {
  return [
    ...streams.map(({ type, name, codecs, average, bytes, timeline }): Rendition => {
      const rung = type === 'video' ? plan.rungs.find((candidate) => candidate.name === name) : undefined;
      const track = type === 'audio' ? plan.audio.find((candidate) => candidate.name === name) : undefined;
      return {
        name,
        type,
        key: streamPrefix(job, type, name) + PLAYLIST_FILE,
        mime: MIME.playlist,
        ...(rung && { width: rung.width, height: rung.height }),
        codecs,
        bitrate: average,
        bytes,
        duration: durationOf(timeline),
        language: track?.language,
      };
    }),
    ...presentation.subtitles.map(({ name, language }): Rendition => ({
      name,
      type: 'subtitles',
      key: subtitlePrefix(job, name) + SUBTITLE_FILE,
      mime: MIME.subtitles,
      bytes: bytesBelow(listing, subtitleUri(name)),
      language,
    })),
    ...pictures,
  ];
}

const bytesBelow = (listing: Verified['listing'], folder: string): number =>
  [...listing].reduce((sum, [name, bytes]) => sum + (name.startsWith(folder) && name.endsWith('.vtt') ? bytes : 0), 0);
