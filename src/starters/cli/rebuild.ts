/** `rebuild-catalogue`: rows of assets from their `asset.json` in the store. */
import type { Command } from 'commander';
import pLimit from 'p-limit';

import { connect, type Database } from '../../catalogue/database.js';
import { restoreAsset, restored, type StoredDocument } from '../../catalogue/restore.js';
import type { Config } from '../../config/schema.js';
import { ASSET_STATES, type AssetDocument } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { createObjectStore } from '../../storage/index.js';
import { cliConfig } from './config.js';
import { json, plain } from './format.js';

export function registerRebuild(program: Command): void {
  program
    .command('rebuild-catalogue')
    .description('make rows of assets from the asset.json files in the store; rows that are there stay as they are')
    .option('--dry-run', 'count, write nothing')
    .option('--json', 'print one JSON object')
    .action(async (options: { dryRun?: boolean; json?: boolean }) => {
      const config = cliConfig();
      const db = connect(config.catalogue);
      try {
        const say = (line: string): void => console.error(plain(line));
        const store = createObjectStore(config.storage);
        const counts = await rebuild({ config, db, store, say }, options.dryRun === true);
        if (options.json) return console.log(json(counts));
        const { found, restored: made, known, unreadable } = counts;
        console.log(`${found} assets in the store: ${made} restored, ${known} known already, ${unreadable} unreadable`);
      } finally {
        await db.destroy();
      }
    });
}

export interface RebuildCounts {
  /** Assets in the store. */
  readonly found: number;
  readonly restored: number;
  /** They have rows. */
  readonly known: number;
  /** Nothing can be made of what their `asset.json` says. */
  readonly unreadable: number;
}

interface Needs {
  readonly config: Pick<Config, 'storage' | 'starter' | 'catalogue'>;
  readonly db: Database;
  readonly store: Pick<ObjectStore, 'list' | 'read'>;
  /** Told what could not be read. */
  readonly say: (line: string) => void;
}

const DOCUMENT_KEY = /^assets\/([0-9a-f]{24})\/g([1-9]\d{0,8})\/asset\.json$/;
/** A document has a few KiB. */
const MAX_BYTES = 4 * 1024 ** 2;

export async function rebuild({ config, db, store, say }: Needs, dryRun = false): Promise<RebuildCounts> {
  const limit = pLimit(config.catalogue.poolSize);
  const counts = { found: 0, restored: 0, known: 0, unreadable: 0 };
  const failures: unknown[] = [];
  const one = async (assetId: string, generations: readonly number[]): Promise<void> => {
    counts.found += 1;
    const documents: StoredDocument[] = [];
    for (const generation of generations) {
      const document = await read(store, config.storage.mediaBucket, assetId, generation);
      if (document) documents.push({ generation, document });
    }
    if (documents.length === 0) {
      counts.unreadable += 1;
      return say(`asset ${assetId}: asset.json can not be used`);
    }
    const isNew = dryRun ? await isUnknown(db, assetId) : await restoreAsset(db, restored(documents, config.starter));
    counts[isNew ? 'restored' : 'known'] += 1;
  };
  const begin = (assetId: string, generations: readonly number[]): Promise<void> =>
    limit(() => one(assetId, generations)).catch((error: unknown) => void failures.push(error));
  let pending: Promise<void>[] = [];
  for await (const [assetId, generations] of assets(store, config.storage.mediaBucket)) {
    pending.push(begin(assetId, generations));
    if (pending.length < 100) continue;
    await Promise.all(pending);
    pending = [];
    if (failures.length > 0) break;
  }
  await Promise.all(pending);
  if (failures.length > 0) throw failures[0];
  return counts;
}

/** Assets with the generations that have a document. A listing is in the order of its keys. */
async function* assets(store: Needs['store'], bucket: string): AsyncIterable<[assetId: string, generations: number[]]> {
  let current: [string, number[]] | undefined;
  for await (const { key, bytes } of store.list(bucket, 'assets/')) {
    const [, assetId, generation] = DOCUMENT_KEY.exec(key) ?? [];
    if (assetId === undefined || bytes > MAX_BYTES) continue;
    if (current?.[0] !== assetId) {
      if (current) yield current;
      current = [assetId, []];
    }
    current[1].push(Number(generation));
  }
  if (current) yield current;
}

async function read(
  store: Needs['store'],
  bucket: string,
  assetId: string,
  generation: number,
): Promise<AssetDocument | undefined> {
  try {
    const bytes = await store.read(bucket, `assets/${assetId}/g${generation}/asset.json`);
    const document = JSON.parse(bytes.toString()) as AssetDocument;
    return isUsable(document, assetId) ? document : undefined;
  } catch (error) {
    const isGone = MediaError.is(error) && error.code === 'OBJECT_MISSING';
    if (error instanceof SyntaxError || isGone) return undefined;
    throw error;
  }
}

/** Who may write to the bucket is trusted; a file that was cut off, or is something else, is not. */
function isUsable(document: Partial<AssetDocument> | null, assetId: string): boolean {
  if (typeof document !== 'object' || document?.id !== assetId) return false;
  const { workflowId, source, state, renditions, timings } = document;
  return (
    [workflowId, source?.bucket, source?.key, timings?.uploadedAt, source?.versionId ?? source?.etag].every(
      (text) => typeof text === 'string',
    ) &&
    ASSET_STATES.includes(state!) &&
    Array.isArray(renditions)
  );
}

async function isUnknown(db: Database, assetId: string): Promise<boolean> {
  return (await db.selectFrom('assets').select('id').where('id', '=', assetId).executeTakeFirst()) === undefined;
}
