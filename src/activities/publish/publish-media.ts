/** Verify, describe, switch: the last step of a video or audio asset. */
import type { Finding, MissingPart, PublishOutcome, PublishRequest } from '../../contracts/activities.js';
import { MediaError } from '../../contracts/errors.js';
import { checkHls, refusals } from '../../media/video/hls-rules.js';
import { madeKey, subtitlePrefix, subtitleUri } from '../../media/video/layout.js';
import { subtitleSegmentName } from '../../media/video/hls.js';
import { manifestFiles, manifestMime } from '../../media/video/manifests.js';
import { shortfalls } from '../../media/video/shortfalls.js';
import { outputPrefix } from '../../contracts/assets.js';
import { publishAsset, publishedBefore } from '../announce.js';
import { CHANGEABLE } from '../cache-control.js';
import type { ActivityContext } from '../context.js';
import { expectDeliveries, onward } from '../deliver/onward.js';
import { shareRepair } from '../dedupe/share-repair.js';
import { releaseAtOnce } from '../lifecycle/release-source.js';
import { activity, type ActivityScope } from '../scope.js';
import { documentOf, resultOf } from './document.js';
import { removeFaulty, removeLeftOvers } from './left-overs.js';
import { verifyOutputs, type Verified } from './verify-outputs.js';

type Needs = Pick<
  ActivityContext,
  'config' | 'logger' | 'store' | 'catalogue' | 'db' | 'results' | 'profiles' | 'targets'
>;

export function createPublishMedia(context: Needs) {
  const { config, logger, store } = context;
  const bucket = config.storage.mediaBucket;

  return activity(logger, async (scope, request: PublishRequest): Promise<PublishOutcome> => {
    const { job, plan, made, repair } = request;
    const { signal } = scope;
    const before = repair ? undefined : await publishedBefore(context, job);
    if (before) return { outcome: 'published', ...resultOf(before), ...onward(context, job) };

    expectDeliveries(context, job);
    const shelf = { store, bucket, signal };
    const verified = await verifyOutputs(shelf, request, (share, what) =>
      scope.report({ step: 'verify', what, percent: Math.round(share * 90) }),
    );
    const short = shortfalls(plan, made);
    const { findings, otherFindings } = verified;
    if (otherFindings.length > 0)
      scope.logger.warn('left as it is', { assetId: job.assetId, mends: request.mends, findings: otherFindings });
    if (findings.length > 0) {
      scope.logger.warn('verification failed', { assetId: job.assetId, lastTry: request.lastTry, findings });
      if (!request.lastTry) {
        await removeFaulty(shelf, job, plan, findings);
        return { outcome: 'faulty', findings };
      }
    }
    assertPlayable(request, verified);

    scope.report({ step: 'publish', what: 'playlists', percent: 90 });
    const manifests = await write(context, scope, request, verified);
    const missing = [...made.missing, ...findings.map(withdrawn), ...short];
    const document = await documentOf(context, request, verified, missing);
    // What is to follow is being made, by runs that may skip what they have stored already.
    const isWhole = !missing.some(({ error }) => error.code === 'TO_FOLLOW');
    const removed = isWhole ? await removeLeftOvers(shelf, job, made.frames, verified, manifests) : 0;

    scope.report({ step: 'publish', what: 'asset.json', percent: 95 });
    await publishAsset(context, scope, job, document, { repair });
    await releaseAtOnce(context, scope, job, document.state);
    if (repair) await shareRepair(context, scope, job, document);
    const result = resultOf(document);
    scope.logger.info(`asset ${result.state}`, { assetId: job.assetId, ...result, removed });
    return { outcome: 'published', ...result, ...onward(context, job) };
  });
}

/** @throws MediaError VERIFY_FAILED when nothing that can be played is left */
function assertPlayable({ plan }: PublishRequest, { streams, findings }: Verified): void {
  if (streams.some(({ type }) => type === plan.kind)) return;
  const [first] = findings;
  throw new MediaError('VERIFY_FAILED', first && `${first.name}: ${first.problem}`);
}

const withdrawn = ({ name, problem }: Finding): MissingPart => ({
  name,
  error: { code: 'VERIFY_FAILED', message: new MediaError('VERIFY_FAILED', problem).message },
});

/**
 * Playlists, manifest and what a repair starts from. Nothing is written that breaks a rule of how to write it.
 *
 * @returns names of the playlists and the manifest
 */
async function write(
  { config, store }: Needs,
  { signal, logger }: ActivityScope,
  { job, startedAt, made }: PublishRequest,
  { presentation, subtitleSeconds, listing }: Verified,
): Promise<string[]> {
  const bucket = config.storage.mediaBucket;
  const files = manifestFiles(presentation, subtitleSeconds);
  // Of a part that is not at issue it may be missing.
  const isThere = ({ name }: { name: string }): boolean => listing.has(subtitleUri(name) + subtitleSegmentName(0));
  const texts = await firstTexts({ config, store }, job, presentation.subtitles.filter(isThere), signal);
  const violations = checkHls({ files: new Map([...files, ...texts]), presentation });
  if (violations.length > 0) logger.info('HLS rules not met', { assetId: job.assetId, violations });
  const [refusal] = refusals(violations);
  if (refusal) throw new MediaError('VERIFY_FAILED', `HLS rule ${refusal.rule}: ${refusal.problem}`);
  const prefix = outputPrefix(job.assetId, job.generation);
  const put = (key: string, text: string, contentType: string): Promise<void> =>
    store.putBytes(bucket, key, Buffer.from(text), { contentType, cacheControl: CHANGEABLE, signal });
  for (const [name, text] of files) await put(prefix + name, text, manifestMime(name));
  await put(madeKey(job), JSON.stringify({ startedAt, made }), 'application/json');
  return [...files.keys()];
}

/** The first WebVTT segment of each track: what the rules say of one, they say of all. */
async function firstTexts(
  { config, store }: Pick<Needs, 'config' | 'store'>,
  job: PublishRequest['job'],
  tracks: readonly { readonly name: string }[],
  signal: AbortSignal,
): Promise<[string, string][]> {
  const prefix = outputPrefix(job.assetId, job.generation);
  const keys = tracks.map(({ name }) => subtitlePrefix(job, name) + subtitleSegmentName(0));
  return Promise.all(
    keys.map(async (key): Promise<[string, string]> => {
      const bytes = await store.read(config.storage.mediaBucket, key, { signal });
      return [key.slice(prefix.length), bytes.toString('utf8')];
    }),
  );
}
