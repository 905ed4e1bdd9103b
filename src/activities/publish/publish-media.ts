/** Verify, describe, switch: the last step of a video or audio asset. */
import type { MissingPart, PublishRequest, PublishResult } from '../../contracts/activities.js';
import { outputPrefix, type AssetDocument, type Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { Rendition } from '../../contracts/renditions.js';
import { masterKey, MIME, PLAYLIST_FILE, streamPrefix, workPrefix } from '../../media/video/layout.js';
import { shortfalls } from '../../media/video/shortfalls.js';
import { verify, type Listing, type VerifiedStream } from '../../media/video/verify.js';
import { publishAsset, publishedBefore, renditionDocument } from '../announce.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { resultOf } from './result-of.js';
import { writePlaylists } from './write-playlists.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'catalogue' | 'results'>;

export function createPublishMedia(context: Needs) {
  const { config, logger, store } = context;
  const bucket = config.storage.mediaBucket;

  return activity(logger, async (scope, request: PublishRequest): Promise<PublishResult> => {
    const { job, plan } = request;
    const before = await publishedBefore(context, job);
    if (before) return resultOf(request, before);

    scope.report({ step: 'verify', what: 'renditions', percent: 0 });
    const { passed, missing } = check(request, await list(context, scope.signal, job));

    scope.report({ step: 'publish', what: 'playlists', percent: 50 });
    await writePlaylists({ store, bucket, signal: scope.signal }, job, plan, passed);
    await removeLeftOvers(context, request, passed);
    const renditions = [...passed.map((stream) => renditionOf(request, stream)), ...request.posters];
    const result: PublishResult = {
      state: missing.length > 0 ? 'partial' : 'ready',
      kind: plan.kind,
      renditions,
      masterKey: masterKey(job),
    };

    scope.report({ step: 'publish', what: 'asset.json', percent: 80 });
    await announce(context, scope, request, result, missing);
    scope.logger.info(`asset ${result.state}`, {
      assetId: job.assetId,
      renditions: renditions.map(({ name }) => name),
      missing,
    });
    return result;
  });
}

/** @throws MediaError VERIFY_FAILED when nothing that can be played is left, DAMAGED_FILE when too little is */
function check({ plan, chunks, audio, missing }: PublishRequest, listing: Listing) {
  const withdrawn = new Set(missing.map(({ name }) => name));
  const { passed, findings, frames } = verify({ plan, chunks, audio, withdrawn, listing });
  if (!passed.some(({ type }) => type === plan.kind)) {
    const [first] = findings;
    throw new MediaError('VERIFY_FAILED', first && `${first.name}: ${first.problem}`);
  }
  const failed = findings.map(({ name, problem }): MissingPart => {
    return { name, error: { code: 'VERIFY_FAILED', message: new MediaError('VERIFY_FAILED', problem).message } };
  });
  return { passed, missing: [...missing, ...failed, ...shortfalls(plan, chunks, frames)] };
}

async function list({ config, store }: Needs, signal: AbortSignal, job: Job): Promise<Listing> {
  const prefix = outputPrefix(job.assetId, job.generation);
  const listing = new Map<string, number>();
  for await (const { key, bytes } of store.list(config.storage.mediaBucket, prefix, { signal })) {
    listing.set(key.slice(prefix.length), bytes);
  }
  return listing;
}

/** What was made for the way, and what belongs to renditions that are not published. */
async function removeLeftOvers(
  { config, store }: Needs,
  { job, plan }: PublishRequest,
  passed: readonly VerifiedStream[],
): Promise<void> {
  const published = new Set(passed.map(({ name }) => name));
  const lost = (name: string): boolean => !published.has(name);
  const prefixes = [
    workPrefix(job),
    ...plan.rungs.filter(({ name }) => lost(name)).map(({ name }) => streamPrefix(job, 'video', name)),
    ...plan.audio.filter(({ name }) => lost(name)).map(({ name }) => streamPrefix(job, 'audio', name)),
  ];
  for (const prefix of prefixes) await store.removePrefix(config.storage.mediaBucket, prefix);
}

function renditionOf({ job, plan }: PublishRequest, stream: VerifiedStream): Rendition {
  const { type, name, codecs, average, bytes, duration } = stream;
  const rung = plan.rungs.find((candidate) => candidate.name === name);
  return {
    name,
    type,
    key: streamPrefix(job, type, name) + PLAYLIST_FILE,
    mime: MIME.playlist,
    ...(type === 'video' && rung ? { width: rung.width, height: rung.height } : {}),
    codecs,
    bitrate: average,
    bytes,
    duration,
    language: type === 'audio' ? plan.audio.find((track) => track.name === name)?.language : undefined,
  };
}

async function announce(
  context: Needs,
  scope: ActivityScope,
  { job, plan, startedAt, posters }: PublishRequest,
  { state, renditions }: PublishResult,
  missing: readonly MissingPart[],
): Promise<void> {
  const { config, store } = context;
  const bucket = config.storage.mediaBucket;
  const documents = renditions.map((rendition) => renditionDocument(store, bucket, rendition));
  const poster = posters.find(({ type }) => type === 'poster') ?? posters[0];
  const now = new Date().toISOString();
  const document: AssetDocument = {
    id: job.assetId,
    workflowId: job.workflowId,
    kind: plan.kind,
    state,
    source: job.source,
    renditions: documents,
    playback: { hls: store.publicUrl(bucket, masterKey(job)), poster: poster && store.publicUrl(bucket, poster.key) },
    missing: missing.length > 0 ? missing : undefined,
    timings: { uploadedAt: job.uploadedAt, startedAt, playableAt: now, readyAt: now },
  };
  await publishAsset(context, scope, job, document);
}
