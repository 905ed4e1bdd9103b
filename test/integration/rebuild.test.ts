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
import { documentKey, type AssetDocument, type Job } from '../../src/contracts/assets.js';
import { merge } from '../../src/local/addresses.js';
import { openEstate, photo, SMALLER, surveyed, unheard, type Estate } from '../support/estate.js';
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
      // Those of whom something was said, or who inherited, after it.
      expect(lastIsKnown).toBe([video.id, twin.id, failed.id].includes(id));
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

/** Steps that a workflow asked for. */
async function steps({ ctx }: Estate, { workflowId }: Job): Promise<string[]> {
  const { events } = await ctx.temporal.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [scheduled.activityType?.name ?? ''] : [],
  );
}

const isReady = ({ state }: AssetRow): boolean => state === 'ready';

async function remove(where: Estate, assetId: string): Promise<void> {
  await deleteAsset(where.ctx, where.caller, assetId);
  await where.reaches({ assetId }, 'gone', ({ purgedAt }) => purgedAt !== null);
}

test('bytes that were made before are not made again after it', async () => {
  const config = await stack.isolated({ database: true });
  const bucket = config.storage.mediaBucket;
  const film = unheard(
    await readFile(await makeFilm(join(dir, 'once.mp4'), { seconds: 2, fps: 10, width: 160, height: 90 })),
  );
  const [picture, inherited, changed, old] = await Promise.all([photo(), photo(), photo(), photo()]);
  const made = new Map<Buffer, AssetRow>();

  const before = await openEstate(config, dir);
  try {
    const submit = async (key: string, bytes: Buffer): Promise<AssetRow> =>
      before.reaches(await before.submit(key, bytes), key, isReady);
    made.set(film, await submit('film.mp4', film));
    made.set(picture, await submit('picture.jpg', picture));
    const first = await submit('first.jpg', inherited);
    made.set(inherited, await submit('second.jpg', inherited));
    expect(made.get(inherited)!.outputsPrefix).toBe(first.outputsPrefix);
    // What it stood for, its twin stands for.
    await remove(before, first.id);
    // It is something else by now, and stands for what that makes of its bytes.
    const { id } = await submit('changed.jpg', changed);
    await reprocessAsset(before.ctx, before.caller, id, { profile: SMALLER });
    const isSwitched = (row: AssetRow): boolean => row.generation === 2 && isReady(row);
    made.set(changed, await before.reaches({ assetId: id }, 'a second generation', isSwitched));
    made.set(old, await submit('old.jpg', old));
    await until('the outbox is empty', async () => Object.keys(await countOutbox(before.ctx.db)).length === 0, 60_000);
    // As documents were before they said it.
    const key = documentKey(made.get(old)!.id, 1);
    const { catalogue, ...document } = JSON.parse(
      (await before.ctx.store.read(bucket, key)).toString(),
    ) as AssetDocument;
    const { contents, ...entry } = catalogue!;
    expect(contents).toEqual([{ sha256: made.get(old)!.sourceSha256, profile: expect.stringMatching(/^small@/) }]);
    const bytes = Buffer.from(JSON.stringify({ ...document, catalogue: entry }));
    await before.ctx.store.putBytes(bucket, key, bytes, { contentType: 'application/json' });
  } finally {
    await before.close();
  }

  const { catalogue, queues } = await isolate(stack.config, { database: true });
  const anew = merge(config, { catalogue: { ...catalogue, poolSize: 3 }, queues });
  expect((await rebuild(anew)).counts).toEqual({ found: 5, restored: 5, known: 0, unreadable: 0 });

  const after = await openEstate(anew, dir);
  try {
    const again = async (bytes: Buffer, key: string, own: Partial<Job> = {}): Promise<[Job, AssetRow]> => {
      const job = await after.submit(key, bytes, own);
      return [job, await after.reaches(job, key, isReady)];
    };
    for (const [bytes, key, own, steps_] of [
      [film, 'film again.mp4', {}, ['inspectMedia']],
      [picture, 'picture again.jpg', {}, ['makeImage']],
      [inherited, 'third.jpg', {}, ['makeImage']],
      [changed, 'changed again.jpg', { profile: SMALLER }, ['makeImage']],
    ] as const) {
      const { id, outputsPrefix, sourceSha256 } = made.get(bytes)!;
      const [job, twin] = await again(bytes, key, own);
      expect(twin).toMatchObject({ outputsPrefix, sourceSha256 });
      expect(await steps(after, job)).toEqual(steps_);
      expect(await after.keys(bucket, `assets/${job.assetId}/`)).toEqual([documentKey(job.assetId, 1)]);
      const outputs = (await after.keys(bucket, outputsPrefix!)).filter((one) => !one.endsWith('/asset.json'));
      expect(outputs.length).toBeGreaterThan(1);
      // Whole, without the one that was there before.
      await remove(after, id);
      expect(await after.keys(bucket, outputsPrefix!)).toEqual(outputs);
    }
    // What it was once made of is nobody's, and so is what no document tells of.
    for (const [bytes, key] of [[changed, 'as it was.jpg'], [old, 'old again.jpg']] as const) // prettier-ignore
      expect((await again(bytes, key))[1]).toMatchObject({ sourceSha256: made.get(bytes)!.sourceSha256, outputsPrefix: expect.not.stringContaining(made.get(bytes)!.id) }); // prettier-ignore
    expect(await surveyed(after)).toEqual([]);
  } finally {
    await after.close();
  }
});
