/** The catalogue is lost, and made again from what lies in the store. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import { patchAsset } from '../../src/api/assets/patch-asset.js';
import { deleteAsset } from '../../src/api/lifecycle/delete-asset.js';
import { setLegalHold } from '../../src/api/lifecycle/legal-hold.js';
import { reprocessAsset } from '../../src/api/lifecycle/reprocess-asset.js';
import type { AssetRow, Catalogue, HistoryRow } from '../../src/catalogue/catalogue.js';
import { connect } from '../../src/catalogue/database.js';
import { countOutbox } from '../../src/catalogue/outbox.js';
import { createCatalogueOn } from '../../src/catalogue/postgres.js';
import { RESTORED_BY } from '../../src/catalogue/restore.js';
import { searchAssets } from '../../src/catalogue/search.js';
import type { Config } from '../../src/config/schema.js';
import { documentKey } from '../../src/contracts/assets.js';
import { openEstate, photo, SMALLER, type Estate } from '../support/estate.js';
import { makeFilm } from '../support/film.js';
import { until } from '../support/processes.js';
import { isolate, processEnv, useStack } from '../support/stack.js';

// Real servers, and videos that are really encoded, on a machine that may be busy.
jest.setTimeout(400_000);

const BIN = join(process.cwd(), 'bin/mediamill.mjs');

const stack = useStack();
let estate: Estate;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-rebuild-'));
  estate = await openEstate(await stack.isolated({ database: true }), dir);
}, 180_000);
afterAll(async () => {
  await estate.close();
  await rm(dir, { recursive: true, force: true });
});

interface Known {
  readonly row: AssetRow;
  readonly history: readonly HistoryRow[];
}

async function everything(catalogue: Catalogue): Promise<Map<string, Known>> {
  const rows = await catalogue.list({ limit: 1000 });
  const known = rows.map(async (row): Promise<[string, Known]> => [
    row.id,
    { row, history: await catalogue.history(row.id) },
  ]);
  return new Map(await Promise.all(known));
}

interface Counts {
  readonly found: number;
  readonly restored: number;
  readonly known: number;
  readonly unreadable: number;
}

async function rebuild(config: Config, ...args: string[]): Promise<{ counts: Counts; errors: string }> {
  const child = spawn(process.execPath, [BIN, 'rebuild-catalogue', '--json', ...args], { env: processEnv(config) });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  if (code !== 0) throw new Error(errors);
  return { counts: JSON.parse(output) as Counts, errors };
}

test('every living asset comes back as it was, and nothing that was deleted', async () => {
  const { ctx, caller, config } = estate;
  const { catalogue, store } = ctx;
  const bucket = config.storage.mediaBucket;
  const film = await readFile(await makeFilm(join(dir, 'film.mp4'), { seconds: 5, fps: 10, width: 320, height: 180 }));
  const picture = await photo();
  const isEnded = (row: AssetRow): boolean => ['ready', 'failed'].includes(row.state);
  const submit = async (key: string, bytes: Uint8Array, own = {}): Promise<AssetRow> =>
    estate.reaches(await estate.submit(key, bytes, own), key, isEnded);

  const video = await submit('a/Übung macht den Meister.mp4', film, { metadata: { teacher: 'Ada' } });
  const first = await submit('first.jpg', picture);
  const twin = await submit('twin.jpg', picture);
  const failed = await submit('broken.jpg', Buffer.from('no picture'));
  const gone = await submit('gone.jpg', await photo());
  const again = await submit('again.jpg', await photo());
  expect([video, first, twin, failed, gone, again].map(({ state }) => state)).toEqual(
    ['ready', 'ready', 'ready', 'failed', 'ready', 'ready'], // prettier-ignore
  );
  expect(twin.outputsPrefix).toBe(first.outputsPrefix);

  await patchAsset(ctx, caller, video.id, { title: 'Übung', tags: ['piano', 'ü'], metadata: { hall: '3' } });
  await setLegalHold(ctx, caller, video.id, true);
  await patchAsset(ctx, caller, failed.id, { title: 'what was it' });
  await reprocessAsset(ctx, caller, again.id, { profile: SMALLER });
  await estate.reaches({ assetId: again.id }, 'a second generation', ({ generation, state }) => generation === 2 && state === 'ready'); // prettier-ignore
  // Its outputs stay: its twin plays them.
  for (const { id } of [first, gone]) {
    await deleteAsset(ctx, caller, id);
    await estate.reaches({ assetId: id }, 'gone', ({ purgedAt }) => purgedAt !== null);
  }
  await until('the outbox is empty', async () => Object.keys(await countOutbox(ctx.db)).length === 0, 60_000);
  await store.putBytes(bucket, documentKey('f'.repeat(24), 1), Buffer.from('{"id": 7'), { contentType: 'x' });
  const before = await everything(catalogue);
  const living = [...before].filter(([, { row }]) => row.state !== 'deleted');
  expect(living.map(([id]) => id).sort()).toEqual([video, twin, failed, again].map(({ id }) => id).sort());

  // Another database, where nothing is.
  const { catalogue: empty } = await isolate(stack.config, { database: true });
  const anew = { ...config, catalogue: { ...empty, poolSize: 3 } };
  const nothing = { found: 5, restored: 4, known: 0, unreadable: 1 };
  expect((await rebuild(anew, '--dry-run')).counts).toEqual(nothing);
  const { counts, errors } = await rebuild(anew);
  expect(counts).toEqual(nothing);
  expect(errors).toContain('f'.repeat(24));

  const db = connect(anew.catalogue);
  const rebuilt = createCatalogueOn(db);
  try {
    const after = await everything(rebuilt);
    expect([...after.keys()].sort()).toEqual(living.map(([id]) => id).sort());
    for (const [id, { row, history }] of living) {
      const { job, updatedAt: _changed, firstPublishedAt, ...rest } = after.get(id)!.row;
      const { job: original, updatedAt: _then, firstPublishedAt: switchedAt, ...same } = row;
      expect(rest).toEqual(same);
      // A document is written before the switch: of this it knows all but the last moment.
      expect(firstPublishedAt === null).toBe(switchedAt === null);
      expect(job).toMatchObject({ ...original, metadata: row.metadata });
      const restored = after.get(id)!.history;
      // When the last line was written nobody could say; of who wrote it, that it was restored.
      const lastIsKnown = restored.at(-1)!.by !== RESTORED_BY;
      expect(lastIsKnown).toBe([video.id, failed.id].includes(id));
      const exactly = lastIsKnown ? history.length : history.length - 1;
      expect(restored.slice(0, exactly)).toEqual(history.slice(0, exactly));
      const way = (lines: readonly HistoryRow[]) => lines.map(({ from, to, generation, error }) => [from, to, generation, error]); // prettier-ignore
      expect(way(restored)).toEqual(way(history));
    }
    const found = await searchAssets(db, { tenant: 'acme', text: 'ubung', limit: 5 });
    expect(found.rows.map(({ id }) => id)).toEqual([video.id]);
    expect(await rebuilt.findBySha256('acme', twin.sourceSha256!, 5)).toHaveLength(1);
    // Rows that are there know better.
    expect((await rebuild(anew)).counts).toEqual({ found: 5, restored: 0, known: 4, unreadable: 1 });
    expect(await everything(rebuilt)).toEqual(after);
  } finally {
    await rebuilt.close();
  }
});
