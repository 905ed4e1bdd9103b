/** Finding assets again, on a real database. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';

import fc from 'fast-check';
import pg from 'pg';

import type { AssetFacts, Catalogue, Transition } from '../../src/catalogue/catalogue.js';
import { connect, type Database } from '../../src/catalogue/database.js';
import { patchAsset } from '../../src/catalogue/patch.js';
import { createCatalogueOn } from '../../src/catalogue/postgres.js';
import { ASSET_SORTS, searchAssets, type AssetSearch } from '../../src/catalogue/search.js';
import { wordsOf } from '../../src/catalogue/search-text.js';
import { InvalidCursor } from '../../src/catalogue/search-cursor.js';
import type { AssetDocument, Job } from '../../src/contracts/assets.js';
import type { Config } from '../../src/config/index.js';
import { jobOf } from '../support/job.js';
import { useStack } from '../support/stack.js';

// Real servers on a machine that may be busy.
jest.setTimeout(120_000);

const HASH = 'f00fc3c3a5a50001';

const stack = useStack();
let config: Config['catalogue'];
let db: Database;
let catalogue: Catalogue;

beforeAll(async () => {
  config = (await stack.isolated({ database: true })).catalogue;
  db = connect(config);
  catalogue = createCatalogueOn(db);
}, 180_000);
afterAll(() => catalogue.close());

interface Own extends Partial<Transition> {
  readonly tenant: string;
  readonly key?: string;
  readonly size?: number;
  readonly profile?: string;
}

/** An asset that is being processed, unless said otherwise. @returns its id */
async function add({ tenant, key = `${randomUUID()}/x`, size, profile, ...own }: Own): Promise<Job> {
  const job = jobOf({ bucket: 'uploads', key, etag: randomUUID(), size }, { tenant, ...(profile && { profile }) });
  expect(await catalogue.transition(job, { to: 'processing', by: 'test', ...own })).toBe(true);
  return job;
}

async function publish(job: Job, own: Partial<AssetDocument> = {}): Promise<void> {
  const document: AssetDocument = {
    ...{ id: job.assetId, workflowId: job.workflowId, kind: 'video', state: 'ready', source: job.source },
    ...{ renditions: [], playback: {}, timings: { uploadedAt: job.uploadedAt, startedAt: job.uploadedAt } },
    ...own,
  };
  expect(await catalogue.publish(job, { to: 'ready', by: 'test', kind: document.kind, document })).toBe(true);
}

const titled = (tenant: string, title: string, facts: AssetFacts = {}): Promise<Job> =>
  add({ tenant, facts: { title, ...facts } });

async function ids(search: Omit<AssetSearch, 'limit'> & { limit?: number }): Promise<string[]> {
  return (await searchAssets(db, { limit: 200, ...search })).rows.map(({ id }) => id);
}

/** Every page until the last one. */
async function pages(search: AssetSearch): Promise<string[][]> {
  const all: string[][] = [];
  for (let cursor: string | undefined; ;) {
    const page = await searchAssets(db, { ...search, cursor });
    all.push(page.rows.map(({ id }) => id));
    if (page.next === undefined) return all;
    cursor = page.next;
  }
}

const names = (...jobs: Job[]): string[] => jobs.map(({ assetId }) => assetId);

describe('words', () => {
  test('are found in title, tags, file name and metadata, in this order of weight', async () => {
    const tenant = randomUUID();
    const meta = await titled(tenant, 'one', { metadata: { place: 'On the GLACIER' } });
    const file = await add({ tenant, key: 'a/b/my-glacier_04.MP4' });
    const tag = await titled(tenant, 'two', { tags: ['snow', 'glacier'] });
    const title = await titled(tenant, 'A glacier');
    await titled(tenant, 'something else');
    expect(await ids({ tenant, text: 'Glacier' })).toEqual(names(title, tag, file, meta));
  });

  test('of equal weight: the newest first', async () => {
    const tenant = randomUUID();
    const jobs = [await titled(tenant, 'red sea'), await titled(tenant, 'red sun'), await titled(tenant, 'red sky')];
    expect(await ids({ tenant, text: 'red' })).toEqual(names(...jobs.reverse()));
  });

  test.each([
    ['uber wolken', 'Über den Wolken'],
    ['WOLKEN ÜBER', 'Über den Wolken'],
    ['creme brulee', 'Crème brûlée'],
    ['wol', 'Über den Wolken'],
    ['den wolk', 'Über den Wolken'],
    ['example.com/video', 'see https://example.com/video for more'],
    ["d'été", "Nuit d'été"],
    ['42', 'The answer is 42'],
    ['2024010', 'shot 20240102 at noon'],
    ['猫', '猫 の 動画'],
  ])('%j finds %j', async (text, title) => {
    const tenant = randomUUID();
    const job = await titled(tenant, title);
    await titled(tenant, 'den');
    expect(await ids({ tenant, text })).toEqual(names(job));
  });

  test('all of them are wanted; none of them is found by what is not there', async () => {
    const tenant = randomUUID();
    await titled(tenant, 'blue whale');
    for (const text of ['blue shark', 'qqqq', ',', '—', 'w']) expect(await ids({ tenant, text })).toEqual([]);
    expect(await ids({ tenant, text: '  ' })).toHaveLength(1);
  });

  test('that are mistyped, or parts of others, are found after those that are not', async () => {
    const tenant = randomUUID();
    const holiday = await titled(tenant, 'holiday in summer');
    const holidays = await titled(tenant, 'our holidays');
    const mountain = await titled(tenant, 'the mountain');
    expect(await ids({ tenant, text: 'holliday' })).toEqual(expect.arrayContaining(names(holiday, holidays)));
    expect(await ids({ tenant, text: 'muontain' })).toEqual(names(mountain));
    expect(await ids({ tenant, text: 'ountai' })).toEqual(names(mountain));
    expect(await ids({ tenant, text: 'holyday sumer' })).toEqual(names(holiday));
    const typing = await titled(tenant, 'holliday');
    expect((await ids({ tenant, text: 'holliday' }))[0]).toBe(typing.assetId);
  });

  test('follow what is said of the asset, and go with it', async () => {
    const tenant = randomUUID();
    const job = await titled(tenant, 'before');
    await patchAsset(db, tenant, job.assetId, undefined, { title: 'after', tags: ['tagged'], metadata: { a: 'meta' } });
    expect(await ids({ tenant, text: 'before' })).toEqual([]);
    for (const text of ['after', 'tagged', 'meta']) expect(await ids({ tenant, text })).toEqual(names(job));
    await catalogue.transition(job, { to: 'deleted', by: 'test' });
    expect(await ids({ tenant, text: 'after' })).toEqual([]);
    expect(await ids({ tenant, state: ['deleted'], text: 'after' })).toEqual([]);
    expect(await ids({ tenant, state: ['deleted'] })).toEqual(names(job));
  });

  test('of thousands of assets each is found once, the best of the newest first', async () => {
    const tenant = randomUUID();
    await many(tenant, 1_234);
    const found = await pages({ tenant, text: 'common', limit: 100 });
    expect(found.map((page) => page.length)).toEqual([...Array.from({ length: 12 }, () => 100), 34]);
    expect(new Set(found.flat()).size).toBe(1_234);
    const { rows } = await searchAssets(db, { tenant, text: 'common', limit: 200 });
    // Every third one has the word in its title, the others in their metadata.
    expect(rows.slice(0, 166).every(({ title }) => title === 'common')).toBe(true);
    expect(rows.slice(167).every(({ title }) => title !== 'common')).toBe(true);
  });

  test('are told apart in the database as in what is typed', async () => {
    const client = new pg.Client({ connectionString: config.url });
    await client.connect();
    try {
      const folded = async (text: string): Promise<string> =>
        (await client.query<{ fold: string }>('select asset_fold($1) as fold', [text])).rows[0]!.fold;
      const every = Array.from({ length: 0x250 - 0x20 }, (_, n) => String.fromCodePoint(0x20 + n));
      for (const one of every.filter((letter) => !/[\x7f-\xa0]/.test(letter)))
        expect([one, await folded(`a${one}b`)]).toEqual([one, wordsOf(`a${one}b`).join(' ')]);
      expect(await folded(' Süße Übersicht__2024.MP4 ')).toBe('suße ubersicht 2024 mp4');
    } finally {
      await client.end();
    }
  });

  test('no text fails, whatever is in it', async () => {
    const tenant = randomUUID();
    await titled(tenant, "it's 100% _real_ \\ & | ! :* <->");
    const texts = [
      "'",
      "' or 1=1 --",
      '\\',
      '%',
      ':*',
      '& | !',
      '()',
      '<->',
      '\ud800',
      'a\0b',
      "x'); drop table assets",
    ];
    for (const text of texts) await ids({ tenant, text });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 80 }),
        async (text) => void (await ids({ tenant, text })),
      ),
      { numRuns: 200 },
    );
    expect(await ids({ tenant, text: '100 real' })).toHaveLength(1);
  });
});

describe('a tenant', () => {
  test('sees nothing of another one, nor learns its words', async () => {
    const [own, other] = [randomUUID(), randomUUID()];
    const secret = await titled(other, 'merger with Contoso', { tags: ['secret'] });
    await publish(secret, { kind: 'image', image: imageOf(HASH) });
    const mine = await titled(own, 'lunch');
    for (const search of [
      {},
      { text: 'merger' },
      { text: 'mergr' },
      { tags: ['secret'] },
      { similarTo: { hash: HASH, maxDistance: 64 } },
      { state: ['ready'] as const },
    ])
      expect((await ids({ tenant: own, ...search })).filter((id) => id !== mine.assetId)).toEqual([]);
    const { next } = await searchAssets(db, { tenant: other, limit: 1 });
    expect(next).toBeUndefined();
  });

  test("may not go on with another one's cursor", async () => {
    const [own, other] = [randomUUID(), randomUUID()];
    for (const tenant of [own, own, other]) await titled(tenant, 'x');
    const { next } = await searchAssets(db, { tenant: own, limit: 1 });
    await expect(searchAssets(db, { tenant: other, limit: 1, cursor: next })).rejects.toThrow(InvalidCursor);
  });
});

describe('filters', () => {
  const tenant = randomUUID();
  let video: Job;
  let image: Job;
  let failed: Job;
  let fresh: Job;
  beforeAll(async () => {
    video = await add({ tenant, size: 5e9, facts: { title: 'a film', tags: ['a', 'b'] } });
    await publish(video, { renditions: [rendition(90.5)] });
    image = await add({ tenant, size: 1000, profile: 'fast', facts: { title: 'a picture', tags: ['b', 'ü c'] } });
    await publish(image, { kind: 'image', image: imageOf(HASH) });
    failed = await add({ tenant, kind: 'audio', size: 2000, to: 'failed', facts: { title: 'a song' } });
    fresh = await add({ tenant, to: 'received', size: 3000 });
    await catalogue.transition(await add({ tenant, size: 1 }), { to: 'deleted', by: 'test' });
  });

  test.each<[Partial<AssetSearch>, () => Job[]]>([
    [{}, () => [fresh, failed, image, video]],
    [{ kind: 'video' }, () => [video]],
    [{ kind: 'image', text: 'a' }, () => [image]],
    [{ withoutImages: true }, () => [fresh, failed, video]],
    [{ state: ['ready'] }, () => [image, video]],
    [{ state: ['received', 'failed'] }, () => [fresh, failed]],
    [{ state: [] }, () => []],
    [{ tags: ['b'] }, () => [image, video]],
    [{ tags: ['b', 'a'] }, () => [video]],
    [{ tags: ['ü c'] }, () => [image]],
    [{ tags: ['B'] }, () => []],
    [{ tags: [] }, () => [fresh, failed, image, video]],
    [{ profile: 'fast' }, () => [image]],
    [{ minBytes: 2000 }, () => [fresh, failed, video]],
    [{ minBytes: 1000, maxBytes: 3000 }, () => [fresh, failed, image]],
    [{ minDuration: 90 }, () => [video]],
    [{ minDuration: 90.5, maxDuration: 90.5 }, () => [video]],
    [{ maxDuration: 1, text: 'a' }, () => [failed, image]],
    [{ createdAfter: new Date(0), createdBefore: new Date(Date.now() + 1e9) }, () => [fresh, failed, image, video]],
    [{ createdBefore: new Date(0) }, () => []],
    [{ createdAfter: new Date(Date.now() + 1e9) }, () => []],
    [{ similarTo: { hash: HASH, maxDistance: 8 }, kind: 'image' }, () => [image]],
    [{ similarTo: { hash: HASH, maxDistance: 8 }, kind: 'video' }, () => []],
  ])('%j', async (search, found) => {
    expect(await ids({ tenant, sort: 'newest', ...search })).toEqual(names(...found()));
  });

  test('the time is exact to the asset', async () => {
    const { createdAt } = (await catalogue.find(failed.assetId))!;
    expect(await ids({ tenant, createdAfter: createdAt })).toEqual(names(fresh, failed));
  });
});

describe('orders and pages', () => {
  test.each(ASSET_SORTS)('%s: pages of one, of seven and of all hold the same', async (sort) => {
    const tenant = randomUUID();
    await many(tenant, 40);
    const search = { tenant, sort, ...(sort === 'similarity' && { similarTo: { hash: HASH, maxDistance: 64 } }) };
    const text = sort === 'relevance' ? { text: 'common' } : {};
    const whole = await ids({ ...search, ...text });
    expect(whole).toHaveLength(sort === 'similarity' ? 20 : 40);
    for (const limit of [1, 7]) expect((await pages({ ...search, ...text, limit })).flat()).toEqual(whole);
    // And by words, which is looked for in another way.
    if (sort !== 'relevance') expect(await ids({ ...search, text: 'common' })).toEqual(whole);
  });

  test('are by what they say', async () => {
    const tenant = randomUUID();
    await many(tenant, 40);
    const sorted = async (sort: AssetSearch['sort']) => (await searchAssets(db, { tenant, sort, limit: 100 })).rows;
    const falling = (values: (number | null)[]) => [...values].sort((a, b) => (b ?? 0) - (a ?? 0));
    const times = (await sorted('newest')).map(({ createdAt }) => createdAt.getTime());
    expect(times).toEqual(falling(times));
    expect((await sorted('oldest')).map(({ id }) => id)).toEqual(
      (await sorted('newest')).map(({ id }) => id).reverse(),
    );
    const bytes = (await sorted('largest')).map((row) => row.bytes);
    expect(bytes).toEqual(falling(bytes));
    const durations = (await sorted('longest')).map((row) => row.duration);
    expect(durations).toEqual(falling(durations));
    const fileNames = (await sorted('name')).map(({ title, fileName }) => `${title ?? ''} ${fileName}`.trim());
    expect(fileNames).toEqual([...fileNames].sort());
  });

  test.each(['newest', 'oldest', 'largest', 'relevance'] as const)(
    '%s: what comes and goes meanwhile moves nothing else',
    async (sort) => {
      const tenant = randomUUID();
      await many(tenant, 30);
      const search = { tenant, sort, limit: 10, ...(sort === 'relevance' && { text: 'common' }) };
      const before = await ids({ ...search, limit: 100 });
      const first = await searchAssets(db, search);
      // Before the page's end, behind it, and within what is still to come.
      for (const size of [0, 1e6, 1e12]) await add({ tenant, size, facts: { title: 'common' } });
      for (const row of [first.rows[3]!, { ...first.rows[9]! }])
        await catalogue.transition({ ...row.job!, generation: 1 }, { to: 'deleted', by: 'test' });
      const gone = before[15]!;
      await catalogue.transition((await catalogue.find(gone))!.job!, { to: 'deleted', by: 'test' });
      const rest: string[] = [];
      for (let cursor = first.next; cursor;) {
        const page = await searchAssets(db, { ...search, cursor });
        rest.push(...page.rows.map(({ id }) => id));
        cursor = page.next;
      }
      expect(rest.filter((id) => before.includes(id))).toEqual(before.slice(10).filter((id) => id !== gone));
      expect(new Set(rest).size).toBe(rest.length);
    },
  );

  test('a cursor that was changed is refused or leads somewhere, and never fails', async () => {
    const tenant = randomUUID();
    await many(tenant, 10);
    for (const sort of ASSET_SORTS) {
      const search = { tenant, sort, limit: 2, text: 'common', similarTo: { hash: HASH, maxDistance: 64 } };
      const { next } = await searchAssets(db, search);
      const [fingerprint, ...position] = JSON.parse(Buffer.from(next!, 'base64url').toString()) as unknown[];
      const odd = fc.oneof(fc.string(), fc.double(), fc.integer(), fc.constantFrom('\0', -1, 1e300, 2 ** 53));
      await fc.assert(
        fc.asyncProperty(fc.nat(6), odd, async (place, value) => {
          const changed = [fingerprint, ...position.map((old, at) => (at === place ? value : old))];
          const cursor = Buffer.from(JSON.stringify(changed)).toString('base64url');
          await searchAssets(db, { ...search, cursor }).catch((error: unknown) => {
            if (!InvalidCursor.is(error)) throw error;
          });
        }),
        { numRuns: 60 },
      );
    }
  });
});

describe('images that look alike', () => {
  test('are those whose hashes differ in few bits, and no others', async () => {
    const tenant = randomUUID();
    const hashes = Array.from({ length: 160 }, (_, n) => near(BigInt(`0x${HASH}`), n % 20));
    const jobs = new Map<string, string>();
    for (const hash of hashes) {
      const job = await add({ tenant });
      await publish(job, { kind: 'image', image: imageOf(hash) });
      jobs.set(job.assetId, hash);
    }
    for (const maxDistance of [0, 1, 3, 4, 7, 8, 11, 12, 19]) {
      const expected = [...jobs].filter(([, hash]) => distance(hash, HASH) <= maxDistance).map(([id]) => id);
      const found = (await pages({ tenant, similarTo: { hash: HASH, maxDistance }, limit: 30 })).flat();
      expect([...found].sort()).toEqual(expected.sort());
      const distances = found.map((id) => distance(jobs.get(id)!, HASH));
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
      const nearest = await catalogue.findSimilar(tenant, HASH, maxDistance, 50);
      expect(nearest.map((one) => one.distance)).toEqual(distances.slice(0, 50));
    }
  });
});

describe('what people say of an asset', () => {
  test('is changed for the revision that they saw, and no other', async () => {
    const tenant = randomUUID();
    const { assetId } = await titled(tenant, 'old', { tags: ['x'], metadata: { a: '1' } });
    const patch = (revision: number | undefined, title: string | null) =>
      patchAsset(db, tenant, assetId, revision, { title });
    expect(await patch(1, 'new')).toMatchObject({
      outcome: 'patched',
      row: { title: 'new', tags: ['x'], metadata: { a: '1' }, revision: 2 },
    });
    expect(await patch(1, 'other')).toMatchObject({ outcome: 'changed', row: { title: 'new', revision: 2 } });
    expect(await patch(undefined, null)).toMatchObject({ outcome: 'patched', row: { title: null, revision: 3 } });
    const outcomes = await Promise.all(Array.from({ length: 10 }, (_, n) => patch(3, `title ${n}`)));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
      ...Array.from({ length: 9 }, () => 'changed'),
      'patched',
    ]);
    expect(await patchAsset(db, 'another', assetId, undefined, { title: 'x' })).toEqual({ outcome: 'unknown' });
    await catalogue.transition((await catalogue.find(assetId))!.job!, { to: 'deleted', by: 'test' });
    expect(await patch(undefined, 'x')).toEqual({ outcome: 'deleted' });
    expect(await catalogue.find(assetId)).toMatchObject({ title: null, fileName: null, tags: [], metadata: {} });
  });

  test('may be said after work has begun, and stays when it goes on', async () => {
    const tenant = randomUUID();
    const job = await add({ tenant, key: 'a/first.mp4' });
    const facts = { title: 'mine', fileName: 'mine.mp4', tags: ['t'], metadata: { k: 'v' }, apiKey: 'key', bytes: 7 };
    expect(await catalogue.transition(job, { to: 'received', by: 'upload', facts })).toBe(false);
    expect(await catalogue.find(job.assetId)).toMatchObject({ state: 'processing', ...facts });
    await publish(job);
    expect(await catalogue.find(job.assetId)).toMatchObject({ state: 'ready', ...facts, revision: 3 });
    expect((await catalogue.history(job.assetId)).map(({ to }) => to)).toEqual(['processing', 'ready']);
  });
});

const distance = (one: string, other: string): number =>
  (BigInt(`0x${one}`) ^ BigInt(`0x${other}`)).toString(2).replaceAll('0', '').length;

/** So many bits changed, anywhere. */
function near(hash: bigint, bits: number): string {
  const places = new Set<number>();
  while (places.size < bits) places.add(randomBytes(1)[0]! % 64);
  return [...places]
    .reduce((changed, place) => changed ^ (1n << BigInt(place)), hash)
    .toString(16)
    .padStart(16, '0');
}

const imageOf = (perceptualHash: string): NonNullable<AssetDocument['image']> => ({
  ...{ width: 4, height: 3, format: 'jpeg', frames: 1, hasAlpha: false, picture: '<picture></picture>' },
  ...{ thumbHash: 'a', blurHash: 'b', dominantColour: '#000000', palette: [], perceptualHash },
  sha256: randomBytes(32).toString('hex'),
});

const rendition = (duration: number) =>
  ({ name: '240p', type: 'video', mime: 'x', bytes: 1, url: 'http://x/', duration }) as const;

/** Ready assets with the word `common`, with equal sizes, durations and times among them; every second one is an image. */
async function many(tenant: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: config.url });
  await client.connect();
  try {
    await client.query(
      `insert into assets (id, workflow_id, bucket, key, version, tenant, kind, state, begun, generation, title,
         file_name, metadata, bytes, duration, perceptual_hash, created_at, job)
       select md5($1 || n), 'w' || n, 'uploads', $1 || n, '1', $1, case n % 2 when 0 then 'image' else 'video' end,
         'ready', 1, 1, case n % 3 when 0 then 'common' end, 'file ' || n, '{"a": "common"}', n % 10, n % 7,
         case n % 2 when 0 then (n * 7919)::bit(64) end, now() - (n / 4) * interval '1 microsecond',
         jsonb_build_object('assetId', md5($1 || n), 'workflowId', 'w' || n, 'generation', 1, 'tenant', $1,
           'profile', 'default', 'priority', 3, 'uploadedAt', '2026-01-01T00:00:00Z',
           'source', jsonb_build_object('bucket', 'uploads', 'key', $1 || n, 'etag', '1'))
       from generate_series(1, $2::integer) as n`,
      [tenant, count],
    );
    await client.query('analyze assets');
  } finally {
    await client.end();
  }
}
