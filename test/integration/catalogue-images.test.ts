/** What finds images again, and which bytes are not decoded again, on a real database. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';

import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { AssetDocument, Job } from '../../src/contracts/assets.js';
import { jobOf } from '../support/job.js';
import { useStack } from '../support/stack.js';

// Real servers on a machine that may be busy.
jest.setTimeout(60_000);

const stack = useStack();
let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = createCatalogue((await stack.isolated({ database: true })).catalogue);
}, 180_000);
afterAll(() => catalogue.close());

const newSha256 = (): string => randomBytes(32).toString('hex');

function newJob(tenant: string): Job {
  return jobOf({ bucket: 'uploads', key: randomUUID(), etag: 'e' }, { tenant });
}

const documentOf = (job: Job, sha256: string, perceptualHash: string): AssetDocument => ({
  ...{ id: job.assetId, workflowId: job.workflowId, kind: 'image', state: 'ready', source: job.source },
  ...{ renditions: [], playback: {}, timings: { uploadedAt: job.uploadedAt, startedAt: job.uploadedAt } },
  image: {
    ...{ width: 4, height: 3, format: 'jpeg', frames: 1, hasAlpha: false, sha256, picture: '<picture></picture>' },
    ...{ thumbHash: 'a', blurHash: 'b', dominantColour: '#000000', palette: [], perceptualHash },
  },
});

async function publish(job: Job, hash: string, sha256 = newSha256()): Promise<void> {
  const document = documentOf(job, sha256, hash);
  expect(await catalogue.publish(job, { to: 'ready', by: 'makeImage', kind: 'image', document })).toBe(true);
}

const HASH = 'f00fc3c3a5a50001';

test('images that look alike are found by the bits that differ, nearest first, within their tenant', async () => {
  const tenant = randomUUID();
  const [same, near, far, opposite, other] = Array.from({ length: 5 }, () => newJob(tenant)) as [
    Job,
    Job,
    Job,
    Job,
    Job,
  ];
  const stranger = newJob(randomUUID());
  // The sign bit too: nothing of it is a number.
  await publish(far, '700fc3c3a5a5001e');
  await publish(near, 'f00fc3c3a5a50003');
  await publish(same, HASH);
  await publish(opposite, '0ff03c3c5a5afffe');
  await publish(stranger, HASH);
  await catalogue.transition(other, { to: 'processing', by: 'makeImage' });

  const found = async (maxDistance: number, limit = 10): Promise<[string, number][]> =>
    (await catalogue.findSimilar(tenant, HASH, maxDistance, limit)).map(({ asset, distance }) => [asset.id, distance]);
  expect(await found(0)).toEqual([[same.assetId, 0]]);
  expect(await found(6)).toEqual([[same.assetId, 0], [near.assetId, 1], [far.assetId, 6]]); // prettier-ignore
  expect(await found(5)).toHaveLength(2);
  expect(await found(64, 2)).toEqual([[same.assetId, 0], [near.assetId, 1]]); // prettier-ignore
  expect((await found(64)).at(-1)).toEqual([opposite.assetId, 64]);

  await catalogue.transition(near, { to: 'deleted', by: 'deleteAsset' });
  expect(await found(5)).toEqual([[same.assetId, 0]]);
  // While a later generation is made, the published one is there to be found.
  await catalogue.transition({ ...same, generation: 2 }, { to: 'processing', by: 'makeImage' });
  expect(await found(0)).toEqual([[same.assetId, 0]]);
});

test('the same bytes are found under other names, within their tenant', async () => {
  const tenant = randomUUID();
  const sha256 = newSha256();
  const [first, second, stranger] = [newJob(tenant), newJob(tenant), newJob(randomUUID())];
  await publish(first, HASH, sha256);
  await publish(second, HASH, sha256);
  await publish(stranger, HASH, sha256);
  const found = await catalogue.findBySha256(tenant, sha256, 10);
  expect(found.map(({ id }) => id)).toEqual([second.assetId, first.assetId]);
  expect(found[0]).toMatchObject({ state: 'ready', document: { image: { sha256 } } });
  expect(await catalogue.findBySha256(tenant, newSha256(), 10)).toEqual([]);
});

test('bytes in quarantine keep their first verdict until it is lifted', async () => {
  const sha256 = newSha256();
  const [first, second] = [newJob('acme'), newJob('other')];
  const crashed = { code: 'DECODER_CRASHED', message: 'The decoder crashed on this file.' } as const;
  expect(await catalogue.quarantined(sha256)).toBeUndefined();
  await catalogue.quarantine(first, sha256, crashed);
  await catalogue.quarantine(second, sha256, { code: 'DECODER_TIMEOUT', message: 'late' });
  const row = { sha256, verdict: crashed, assetId: first.assetId, tenant: 'acme', since: expect.any(Date) };
  expect(await catalogue.quarantined(sha256)).toEqual(row);
  expect(await catalogue.listQuarantine(100)).toContainEqual(row);
  expect(await catalogue.liftQuarantine(sha256)).toBe(true);
  expect(await catalogue.liftQuarantine(sha256)).toBe(false);
  expect(await catalogue.quarantined(sha256)).toBeUndefined();
  await expect(catalogue.quarantine(first, 'not a hash', crashed)).rejects.toThrow();
});
