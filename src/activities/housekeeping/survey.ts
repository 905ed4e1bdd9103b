/**
 * Compares what lies in the store with what the catalogue says of it, both ways, without changing anything. Reads
 * both in the order of asset ids, side by side: it needs no more memory for a million assets than for ten.
 */
import type { AssetRow } from '../../catalogue/catalogue.js';
import { isTwin, ownerOf } from '../../catalogue/lifecycle.js';
import { allAssets, playedPlaces } from '../../catalogue/strays.js';
import { outputPrefix } from '../../contracts/assets.js';
import type { Finding, SurveyContext, SurveyOptions } from './findings.js';
import { missingObjects } from './missing-objects.js';
import { surveyUploads } from './survey-uploads.js';

/** What lies below the media bucket of one asset id. */
interface Pile {
  readonly assetId: string;
  readonly generations: ReadonlyMap<number, Generation>;
}

interface Generation {
  readonly prefix: string;
  /** Of each version once. */
  readonly keys: string[];
  bytes: number;
  /** Milliseconds since 1970. */
  newest: number;
}

export async function* survey(context: SurveyContext, options: SurveyOptions): AsyncGenerator<Finding> {
  yield* surveyMedia(context, options);
  yield* surveyUploads(context, options);
}

async function* surveyMedia(context: SurveyContext, options: SurveyOptions): AsyncGenerator<Finding> {
  const startedAt = new Date();
  const foreign: Finding[] = [];
  const rows = allAssets(context.db, startedAt);
  const found = piles(context, options, foreign);
  let [row, pile] = [await rows.next(), await found.next()];
  while (!row.done || !pile.done) {
    options.signal.throwIfAborted();
    yield* foreign.splice(0);
    const assetId = [row.value?.id, pile.value?.assetId].filter((id) => id !== undefined).sort()[0];
    const asset = row.value?.id === assetId ? row.value : undefined;
    const things = pile.value?.assetId === assetId ? pile.value : undefined;
    if (things) yield* judgePile(context, options, things, asset);
    if (asset) yield* judgeRow(context, options, asset, things, startedAt);
    if (asset) row = await rows.next();
    if (things) pile = await found.next();
  }
  yield* foreign;
}

async function* piles(
  { store, config }: SurveyContext,
  { signal }: SurveyOptions,
  foreign: Finding[],
): AsyncGenerator<Pile, undefined> {
  const bucket = config.storage.mediaBucket;
  let pile: { assetId: string; generations: Map<number, Generation> } | undefined;
  for await (const { key, bytes, modifiedAt } of store.listVersions(bucket, '', { signal })) {
    const owner = ownerOf(key);
    if (!owner) {
      foreign.push({ what: 'foreign', bucket, key });
      continue;
    }
    if (pile?.assetId !== owner.assetId) {
      if (pile) yield pile;
      pile = { assetId: owner.assetId, generations: new Map() };
    }
    const prefix = outputPrefix(owner.assetId, owner.generation);
    const generation = pile.generations.get(owner.generation) ?? { prefix, keys: [], bytes: 0, newest: 0 };
    pile.generations.set(owner.generation, generation);
    generation.keys.push(key);
    generation.bytes += bytes;
    generation.newest = Math.max(generation.newest, modifiedAt.getTime());
  }
  if (pile) yield pile;
  return undefined;
}

async function* judgePile(
  { db }: SurveyContext,
  { minAgeSeconds }: SurveyOptions,
  { assetId, generations }: Pile,
  row: AssetRow | undefined,
): AsyncGenerator<Finding> {
  const before = Date.now() - minAgeSeconds * 1000;
  // Those are removed by the deletion's own workflow.
  const isBeingRemoved = row?.state === 'deleted' && row.updatedAt.getTime() > before && !row.purgedAt;
  const strays = [...generations].filter(
    ([number, { newest }]) => newest <= before && !isBeingRemoved && !belongs(number, row),
  );
  const played = await playedPlaces(
    db,
    strays.map(([, { prefix }]) => prefix),
  );
  for (const [, { prefix, keys, bytes }] of strays)
    if (!played.has(prefix)) yield { what: 'outputs-without-row', prefix, objects: keys.length, bytes };

  const cameToNothing = row && row.generation !== row.begun && (row.state === 'failed' || row.state === 'cancelled');
  const last = cameToNothing ? generations.get(row.begun) : undefined;
  if (last && last.newest <= before) {
    const more = last.keys.filter((key) => key !== `${last.prefix}asset.json`);
    if (more.length > 0) yield { what: 'left-overs', assetId, keys: more };
  }
}

/** Earlier generations are kept for a while after they were published no longer: that is another's business. */
const belongs = (generation: number, row: AssetRow | undefined): boolean =>
  row !== undefined && row.state !== 'deleted' && generation <= row.begun;

async function* judgeRow(
  context: SurveyContext,
  { deep, signal }: SurveyOptions,
  row: AssetRow,
  pile: Pile | undefined,
  startedAt: Date,
): AsyncGenerator<Finding> {
  // What changes while we look is seen the next time.
  if (row.state === 'deleted' || row.updatedAt > startedAt) return;
  const { id: assetId, generation, outputsPrefix } = row;
  if (generation === 0 || outputsPrefix === null) return;
  const own = pile?.generations.get(generation);
  // A twin has its own document there, and all else elsewhere.
  if (!own) yield { what: 'row-without-outputs', assetId, keys: [] };
  else if (deep || isTwin(row)) {
    const keys = await missingObjects(context, row, deep === true, signal);
    if (keys.length > 0) yield { what: 'row-without-outputs', assetId, keys: keys.slice(0, 10) };
  }
}
