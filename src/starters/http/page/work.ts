/** What an operator wants to see of an asset: its workflow, its source, and which segments of which rung there are. */
import { LRUCache } from 'lru-cache';
import type { ApiContext } from '../../../api/context.js';
import { findAsset } from '../../../api/assets/find.js';
import type { Caller } from '../../../api/caller.js';
import type { AssetRow } from '../../../catalogue/catalogue.js';
import { atWork } from '../../../client/progress.js';
import type { Made } from '../../../contracts/activities.js';
import { FINAL_STATES, outputPrefix } from '../../../contracts/assets.js';
import { MediaError } from '../../../contracts/errors.js';
import { secondsOf, type VideoFacts, type VideoPlan } from '../../../contracts/plan.js';
import { MADE_FILE, PLAN_FILE } from '../../../media/video/layout.js';
import { growingSegments, publishedSegments, type StreamSegments } from './segments.js';

export interface Work {
  readonly workflow: { readonly id: string; readonly url: string };
  readonly source?: VideoFacts | undefined;
  readonly streams: readonly StreamSegments[];
  readonly segmentSeconds?: number | undefined;
  /** Lowest sampled SSIM of each rung. */
  readonly quality?: Readonly<Record<string, number>> | undefined;
  /** Good for some minutes. */
  readonly sourceUrl?: string | undefined;
}

/** Milliseconds. */
const DEADLINE = 2_000;
/** A long film has tens of thousands of objects: listing them may take so much of the store's time. */
const SHARE_OF_TIME = 0.1;
const SHORTEST_MS = 800;
const LISTINGS = 200;

export function createWork(ctx: ApiContext): (caller: Caller, assetId: string) => Promise<Work> {
  const { store, temporal, logger } = ctx;
  const { mediaBucket } = ctx.config.storage;
  const listings = new LRUCache<string, string[]>({ max: LISTINGS, ttl: SHORTEST_MS });

  async function json<T>(key: string): Promise<T | undefined> {
    try {
      return JSON.parse((await store.read(mediaBucket, key)).toString()) as T;
    } catch (error) {
      if (MediaError.is(error) && error.code === 'OBJECT_MISSING') return undefined;
      throw error;
    }
  }

  async function pathsBelow(prefix: string): Promise<string[]> {
    const known = listings.get(prefix);
    if (known) return known;
    const started = Date.now();
    const paths: string[] = [];
    for (const folder of ['video/', 'audio/']) {
      for await (const { key } of store.list(mediaBucket, prefix + folder)) paths.push(key.slice(prefix.length));
    }
    listings.set(prefix, paths, { ttl: Math.max(SHORTEST_MS, (Date.now() - started) / SHARE_OF_TIME) });
    return paths;
  }

  async function making({ workflowId }: AssetRow): Promise<string[]> {
    try {
      const handle = temporal.workflow.getHandle(workflowId);
      return await temporal.withDeadline(Date.now() + DEADLINE, () => atWork(handle));
    } catch (error) {
      logger.debug('a workflow does not tell what it makes', { workflowId, error });
      return [];
    }
  }

  async function segmentsOf(row: AssetRow, plan: VideoPlan, prefix: string): Promise<StreamSegments[]> {
    if (isPublished(row))
      return publishedSegments(
        plan,
        (row.document?.missing ?? []).map(({ name }) => name),
      );
    const [paths, now] = await Promise.all([pathsBelow(prefix), making(row)]);
    return growingSegments(plan, paths, now);
  }

  return async (caller, assetId) => {
    const row = await findAsset(ctx, caller, assetId);
    const prefix = prefixOf(row);
    const isMoving = row.kind !== 'image' && row.state !== 'deleted';
    const [planned, made] = isMoving
      ? await Promise.all([
          json<{ plan: VideoPlan }>(prefix + PLAN_FILE),
          isPublished(row) ? json<{ made: Made }>(prefix + MADE_FILE) : undefined,
        ])
      : [];
    const plan = planned?.plan;
    const hasSource = row.state !== 'deleted' && row.sourceRemovedAt === null;
    return {
      workflow: { id: row.workflowId, url: workflowUrl(ctx, row.workflowId) },
      ...(plan && {
        source: plan.facts,
        segmentSeconds: plan.grid ? secondsOf(plan.grid, plan.grid.segmentFrames) : undefined,
      }),
      streams: plan ? await segmentsOf(row, plan, prefix) : [],
      ...(made && { quality: Object.fromEntries(made.made.quality.map(({ name, ssim }) => [name, ssim])) }),
      ...(hasSource && { sourceUrl: await sourceUrl(ctx, row) }),
    };
  };
}

/** Never shown by a browser: it is what a stranger has sent. */
const sourceUrl = ({ store, config }: ApiContext, { bucket, key, fileName, id }: AssetRow): Promise<string> =>
  store.signedUrl(bucket, key, config.http.signedUrlSeconds, { downloadAs: fileName ?? id });

/** The generation that its state speaks of is the one that plays. */
const isPublished = ({ state, generation, begun }: AssetRow): boolean =>
  generation === begun && generation > 0 && FINAL_STATES.includes(state);

function prefixOf(row: AssetRow): string {
  const own = outputPrefix(row.id, row.begun);
  return row.generation === row.begun ? (row.outputsPrefix ?? own) : own;
}

const workflowUrl = ({ config: { temporal } }: ApiContext, workflowId: string): string =>
  `${temporal.uiUrl}/namespaces/${encodeURIComponent(temporal.namespace)}/workflows/${encodeURIComponent(workflowId)}`;
