/** Verification and publishing on a real store and catalogue, with real segments that are broken there. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Parser } from 'm3u8-parser';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ActivityContext } from '../../src/activities/context.js';
import { createPublishMedia } from '../../src/activities/publish/publish-media.js';
import { verifyPublished, type Review } from '../../src/activities/publish/verify-published.js';
import type { PublishOutcome, PublishRequest } from '../../src/contracts/activities.js';
import { outputPrefix, type AssetDocument, type Job } from '../../src/contracts/assets.js';
import { createLogger } from '../../src/logging/index.js';
import { openContext, type OpenContext } from '../../src/workers/context.js';
import { jobOf, makeOutputs, type Outputs } from '../activities/video/published.js';
import { useStack } from '../support/stack.js';

// Real servers on a machine that may be busy.
jest.setTimeout(60_000);

const stack = useStack();
let dir: string;
let open: OpenContext;
let context: ActivityContext;
let outputs: Outputs;
let bucket: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-publish-'));
  const config = await stack.isolated({ database: true });
  const own = { ...config, scratch: { ...config.scratch, dir }, log: { ...config.log, level: 'error' as const } };
  open = await openContext(own, createLogger(own.log), { tools: false });
  context = open.activities;
  bucket = own.storage.mediaBucket;
  outputs = await makeOutputs();
}, 240_000);
afterAll(async () => {
  await open?.close();
  await rm(dir, { recursive: true, force: true });
});

const keyOf = (job: Job, name: string): string => outputPrefix(job.assetId, job.generation) + name;
const fileOf = (name: string): Buffer => outputs.files.get(name)!;
const put = (job: Job, name: string, bytes: Buffer): Promise<void> =>
  context.store.putBytes(bucket, keyOf(job, name), bytes, { contentType: 'application/octet-stream' });
const read = async (job: Job, name: string): Promise<string> =>
  (await context.store.read(bucket, keyOf(job, name))).toString('utf8');

/** All outputs of a new asset in the store. */
async function encoded(): Promise<Job> {
  const job = jobOf(randomUUID());
  await restore(job);
  return job;
}

async function restore(job: Job): Promise<void> {
  for (const [name, bytes] of outputs.files) await put(job, name, bytes);
}

async function namesOf(job: Job): Promise<string[]> {
  const names: string[] = [];
  const prefix = keyOf(job, '');
  for await (const { key } of context.store.list(bucket, prefix)) names.push(key.slice(prefix.length));
  return names.sort();
}

function publish(job: Job, own: Partial<PublishRequest> = {}): Promise<PublishOutcome> {
  const { plan } = outputs;
  const request: PublishRequest = {
    ...{ job, plan, startedAt: '2026-01-01T00:00:01.000Z', made: outputs.made(job), lastTry: false },
    ...own,
  };
  return new MockActivityEnvironment().run(createPublishMedia(context), request);
}

const ALL = ['180p', '90p', 'audio-0-eng', 'subs-0-eng', 'poster.jpg', 'storyboard'];
const ofRung = (name: string): string[] =>
  ['init.mp4', ...[0, 1, 2].map((i) => `seg-0000${i}.m4s`)].map((f) => `video/${name}/${f}`);

test('what is as planned is published, and nothing but that is kept', async () => {
  const job = await encoded();
  await context.catalogue.transition(job, { to: 'playable', by: 'announcePlayable', kind: 'video' });
  const playableAt = (await context.catalogue.history(job.assetId))[0]!.at.toISOString();
  expect(await publish(job)).toEqual({
    outcome: 'published',
    state: 'ready',
    kind: 'video',
    renditions: ALL,
    missing: [],
  });

  expect(await namesOf(job)).toEqual(
    [
      ...['180p', '90p'].flatMap((name) => [...ofRung(name), `video/${name}/index.m3u8`, `video/${name}/iframes.m3u8`]),
      ...['init.mp4', 'seg-00000.m4s', 'seg-00001.m4s', 'seg-00002.m4s', 'index.m3u8'].map((f) => `audio/audio-0-eng/${f}`),
      ...['subs.vtt', 'seg-00000.vtt', 'index.m3u8'].map((file) => `subs/subs-0-eng/${file}`),
      ...['storyboard/storyboard.vtt', 'storyboard/sheet-000.jpg', 'poster.jpg'],
      ...['plan.json', 'made.json', 'asset.json', 'master.m3u8', 'manifest.mpd'],
    ].sort(),
  ); // prettier-ignore
  const url = (name: string): string => context.store.publicUrl(bucket, keyOf(job, name));
  const row = await context.catalogue.find(job.assetId);
  expect(row).toMatchObject({ state: 'ready', generation: 1 });
  const { catalogue: entry, ...document } = JSON.parse(await read(job, 'asset.json')) as AssetDocument;
  expect(row!.document).toEqual(document);
  expect(entry).toMatchObject({ tenant: job.tenant, fileName: row!.fileName, createdAt: row!.createdAt.toISOString() });
  expect(row!.document).toMatchObject({
    state: 'ready',
    playback: {
      hls: url('master.m3u8'),
      dash: url('manifest.mpd'),
      poster: url('poster.jpg'),
      storyboard: url('storyboard/storyboard.vtt'),
    },
    timings: { playableAt, startedAt: '2026-01-01T00:00:01.000Z' },
  });
  const parser = new Parser();
  parser.push(await read(job, 'master.m3u8'));
  parser.end();
  // Measured, not planned.
  const bytes = [0, 1, 2].reduce((sum, i) => sum + fileOf(`video/180p/seg-0000${i}.m4s`).length, 0);
  const sound = [0, 1, 2].reduce((sum, i) => sum + fileOf(`audio/audio-0-eng/seg-0000${i}.m4s`).length, 0);
  const declared = parser.manifest.playlists.find(({ uri }) => uri.includes('180p'))!.attributes['AVERAGE-BANDWIDTH'];
  expect(Math.abs(Number(declared) / (((bytes + sound) * 8) / 10) - 1)).toBeLessThan(0.01);
  expect(JSON.parse(await read(job, 'made.json'))).toMatchObject({ made: { frames: 250 } });
});

test('an I-frame of the playlist is a whole fragment header with a whole key frame', async () => {
  const job = await encoded();
  await publish(job);
  const parser = new Parser();
  parser.push(await read(job, 'video/180p/iframes.m3u8'));
  parser.end();
  const [first] = parser.manifest.segments;
  const { length, offset } = first!.byterange!;
  const bytes = await context.store.readRange(bucket, keyOf(job, 'video/180p/seg-00000.m4s'), offset, length);
  const moof = bytes.indexOf('moof') - 4;
  const mdat = bytes.indexOf('mdat', moof) - 4;
  expect(moof).toBeGreaterThanOrEqual(0);
  // One access unit of NAL units, each behind its length, fills the range to its end; one is an IDR slice.
  const types: number[] = [];
  let at = mdat + 8;
  for (; at < length; at += 4 + bytes.readUInt32BE(at)) types.push(bytes[at + 4]! & 0x1f);
  expect(at).toBe(length);
  expect(types).toContain(5);
});

test('what is to follow is left alone, and published with the rest when it is there', async () => {
  const job = await encoded();
  const last = 'video/180p/seg-00002.m4s';
  await context.store.remove(bucket, [keyOf(job, last)]);
  await put(job, 'stills/tile-00000009.jpg', Buffer.from('a frame for pictures to come'));
  const missing = [{ name: '180p', error: { code: 'TO_FOLLOW' as const, message: 'Later.' } }];
  const before = await namesOf(job);

  const early = await publish(job, { made: { ...outputs.made(job), missing } });
  expect(early).toMatchObject({ state: 'partial', renditions: ALL.filter((name) => name !== '180p'), missing });
  expect(await namesOf(job)).toEqual(expect.arrayContaining(before));
  expect(await read(job, 'master.m3u8')).not.toContain('180p');
  const { timings } = (await context.catalogue.find(job.assetId))!.document!;

  await put(job, last, fileOf(last));
  const whole = await publish(job, { repair: true, mends: ['180p'] });
  expect(whole).toMatchObject({ state: 'ready', renditions: ALL, missing: [] });
  expect(await namesOf(job)).not.toContain('stills/tile-00000009.jpg');
  expect(await read(job, 'master.m3u8')).toContain('180p');
  // When it was first there does not change with what follows.
  expect((await context.catalogue.find(job.assetId))!.document!.timings).toEqual(timings);
});

test('a second attempt says what the first one did', async () => {
  const job = await encoded();
  const first = await publish(job);
  const { document } = (await context.catalogue.find(job.assetId))!;
  expect(await publish(job)).toEqual(first);
  expect((await context.catalogue.find(job.assetId))!.document).toEqual(document);
});

const SEGMENT = 'video/90p/seg-00001.m4s';
/** Later by a tenth of a second. */
const moved = (): Buffer => {
  const bytes = Buffer.from(fileOf(SEGMENT));
  const at = bytes.indexOf('tfdt') + 8;
  bytes.writeBigUInt64BE(bytes.readBigUInt64BE(at) + 1280n, at);
  return bytes;
};
const one = (name: string, problem: RegExp, segment = 1) => ({
  name,
  problem: expect.stringMatching(problem),
  segments: [{ firstSegment: segment, segments: 1 }],
});

const FAULTS: [what: string, break_: (job: Job) => Promise<unknown>, findings: unknown[], gone: string[]][] = [
  [
    'a segment that is missing',
    (job) => context.store.remove(bucket, [keyOf(job, SEGMENT)]),
    [one('90p', /^Segment 1: It is missing\.$/)],
    [SEGMENT],
  ],
  [
    'an empty segment',
    (job) => put(job, SEGMENT, Buffer.alloc(0)),
    [one('90p', /^Segment 1: It is missing\.$/)],
    [SEGMENT],
  ],
  [
    'a segment that is cut off',
    (job) => put(job, SEGMENT, fileOf(SEGMENT).subarray(0, fileOf(SEGMENT).length - 1)),
    [one('90p', /^Segment 1: It ends within mdat\.$/)],
    [SEGMENT],
  ],
  [
    'a segment that is cut off in its header',
    (job) => put(job, SEGMENT, fileOf(SEGMENT).subarray(0, 300)),
    [one('90p', /^Segment 1: It ends within moof\.$/)],
    [SEGMENT],
  ],
  [
    'a segment of noise',
    (job) => put(job, SEGMENT, Buffer.alloc(5000, 0xab)),
    [one('90p', /^Segment 1: It /)],
    [SEGMENT],
  ],
  [
    'a segment of another place',
    (job) => put(job, SEGMENT, fileOf('video/90p/seg-00000.m4s')),
    [one('90p', /^Segment 1: It starts at 0\.000 s, not 4\.000 s\.$/)],
    [SEGMENT],
  ],
  [
    'a segment with the wrong time',
    (job) => put(job, SEGMENT, moved()),
    [one('90p', /^Segment 1: It starts at 4\.100 s, not 4\.000 s\.$/)],
    [SEGMENT],
  ],
  [
    'swapped segments of two rungs',
    async (job) => {
      await put(job, 'video/180p/seg-00001.m4s', fileOf(SEGMENT));
      await put(job, SEGMENT, fileOf('video/180p/seg-00001.m4s'));
    },
    [
      one('180p', /^Segment 1: It was encoded for another rung\.$/),
      one('90p', /^Segment 1: It was encoded for another rung\.$/),
    ],
    ['video/180p/seg-00001.m4s', SEGMENT],
  ],
  [
    'the init segment of another rung',
    (job) => put(job, 'video/90p/init.mp4', fileOf('video/180p/init.mp4')),
    [{ name: '90p', problem: 'Its init segment is of 320x180, not 160x90.' }],
    ofRung('90p'),
  ],
  [
    'an init segment that is missing',
    (job) => context.store.remove(bucket, [keyOf(job, 'video/90p/init.mp4')]),
    [{ name: '90p', problem: 'Its init segment is missing.' }],
    ofRung('90p'),
  ],
  [
    'an init segment of noise',
    (job) => put(job, 'video/90p/init.mp4', Buffer.alloc(700, 0xab)),
    [{ name: '90p', problem: 'Its init segment can not be read.' }],
    ofRung('90p'),
  ],
  [
    'sound that lacks its end',
    (job) => context.store.remove(bucket, [keyOf(job, 'audio/audio-0-eng/seg-00002.m4s')]),
    [one('audio-0-eng', /^Segment 2: It is missing\.$/, 2)],
    ['audio/audio-0-eng/seg-00002.m4s'],
  ],
  [
    'a picture where sound should be',
    (job) => put(job, 'audio/audio-0-eng/seg-00001.m4s', fileOf(SEGMENT)),
    [one('audio-0-eng', /^Segment 1: It has 100 of 187 frames of sound\.$/)],
    ['audio/audio-0-eng/seg-00001.m4s'],
  ],
  [
    'subtitles that are not all there',
    (job) => context.store.remove(bucket, [keyOf(job, 'subs/subs-0-eng/seg-00000.vtt')]),
    [{ name: 'subs-0-eng', problem: 'seg-00000.vtt is missing.' }],
    ['subs/subs-0-eng/subs.vtt'],
  ],
  [
    'a storyboard without its sheet',
    (job) => context.store.remove(bucket, [keyOf(job, 'storyboard/sheet-000.jpg')]),
    [{ name: 'storyboard', problem: 'storyboard/sheet-000.jpg is missing.' }],
    ['storyboard/sheet-000.jpg'],
  ],
];

describe('what is at fault', () => {
  test.each(FAULTS)(
    '%s is named and removed, made again alone, and published',
    async (_what, spoil, findings, gone) => {
      const job = await encoded();
      await spoil(job);
      const before = await namesOf(job);
      expect(await publish(job)).toEqual({ outcome: 'faulty', findings });
      expect(await context.catalogue.find(job.assetId)).toBeUndefined();
      const left = await namesOf(job);
      expect(gone.filter((name) => left.includes(name))).toEqual([]);
      expect(before.filter((name) => !left.includes(name) && !gone.includes(name))).toEqual([]);
      for (const name of gone) await put(job, name, fileOf(name));
      await put(job, 'subs/subs-0-eng/seg-00000.vtt', fileOf('subs/subs-0-eng/seg-00000.vtt'));
      expect(await publish(job, { lastTry: true })).toMatchObject({
        outcome: 'published',
        state: 'ready',
        renditions: ALL,
      });
    },
  );

  test('twice is withdrawn and named; the rest is published', async () => {
    const job = await encoded();
    await context.store.remove(bucket, [keyOf(job, SEGMENT)]);
    const missing = [
      {
        name: '90p',
        error: { code: 'VERIFY_FAILED', message: 'The result did not pass verification. Segment 1: It is missing.' },
      },
    ];
    expect(await publish(job, { lastTry: true })).toEqual({
      outcome: 'published',
      state: 'partial',
      kind: 'video',
      renditions: ALL.filter((name) => name !== '90p'),
      missing,
    });
    expect((await namesOf(job)).filter((name) => name.includes('90p'))).toEqual([]);
    expect(await read(job, 'master.m3u8')).not.toContain('90p');
    expect(await read(job, 'manifest.mpd')).not.toContain('90p');
    expect((await context.catalogue.find(job.assetId))!.document).toMatchObject({ state: 'partial', missing });
  });

  test('a rung that does not resemble its source is made again as a whole, then withdrawn', async () => {
    const job = await encoded();
    const made = { ...outputs.made(job), quality: [{ name: '180p', ssim: 0.7123 }] };
    const problem = 'It resembles its source by 0.7123 (SSIM), not 0.8.';
    expect(await publish(job, { made })).toEqual({ outcome: 'faulty', findings: [{ name: '180p', problem }] });
    await restore(job);
    expect(await publish(job, { made, lastTry: true })).toMatchObject({
      state: 'partial',
      missing: [{ name: '180p', error: { code: 'VERIFY_FAILED', message: expect.stringContaining(problem) } }],
    });
  });

  test('when nothing is left to play, nothing is published', async () => {
    const job = await encoded();
    await context.store.remove(
      bucket,
      [SEGMENT, 'video/180p/seg-00000.m4s'].map((name) => keyOf(job, name)),
    );
    await expect(publish(job, { lastTry: true })).rejects.toMatchObject({
      type: 'VERIFY_FAILED',
      message: expect.stringContaining('180p: Segment 0: It is missing.'),
    });
    expect(await context.catalogue.find(job.assetId)).toBeUndefined();
  });

  test('a source that ended early is published as far as it goes', async () => {
    const job = await encoded();
    const made = { ...outputs.made(job), frames: 200 };
    expect(await publish(job, { made })).toMatchObject({
      state: 'partial',
      renditions: ALL,
      missing: [{ name: 'end', error: { code: 'DAMAGED_FILE' } }],
    });
    expect(await namesOf(job)).not.toContain('video/90p/seg-00002.m4s');
  });
});

describe('a repair', () => {
  test('publishes the same generation again: less where something got lost, all when it is back', async () => {
    const job = await encoded();
    await publish(job);
    const first = (await context.catalogue.find(job.assetId))!.document!;
    await context.store.remove(bucket, [keyOf(job, SEGMENT)]);
    const repair = { repair: true } as const;
    expect(await publish(job, repair)).toMatchObject({ outcome: 'faulty', findings: [{ name: '90p' }] });
    expect((await context.catalogue.find(job.assetId))!.document).toEqual(first);
    expect(await publish(job, { ...repair, lastTry: true })).toMatchObject({ state: 'partial' });
    await restore(job);
    expect(await publish(job, repair)).toMatchObject({ state: 'ready', renditions: ALL });
    const row = (await context.catalogue.find(job.assetId))!;
    // It is there since then, whatever has been repaired.
    expect(row).toMatchObject({ state: 'ready', generation: 1, document: first });
    const steps = (await context.catalogue.history(job.assetId)).map(({ from, to }) => `${from ?? ''}>${to}`);
    expect(steps).toEqual(['>ready', 'ready>partial', 'partial>ready']);
  });

  test('of what is not published is refused', async () => {
    const job = await encoded();
    await expect(publish(job, { repair: true })).rejects.toMatchObject({ type: 'OBJECT_GONE' });
  });
});

describe('verify, any time later', () => {
  async function published(own: Partial<PublishRequest> = {}): Promise<Job> {
    const job = await encoded();
    await put(job, 'plan.json', Buffer.from(JSON.stringify({ job, plan: outputs.plan })));
    await publish(job, { lastTry: true, ...own });
    return job;
  }
  async function review(job: Job): Promise<Review> {
    const { generation, document } = (await context.catalogue.find(job.assetId))!;
    return verifyPublished({ store: context.store, bucket }, { assetId: job.assetId, generation, document: document! });
  }

  test('finds nothing where all is well', async () => {
    const shares: number[] = [];
    const job = await published();
    const { generation, document } = (await context.catalogue.find(job.assetId))!;
    const found = await verifyPublished(
      { store: context.store, bucket },
      { assetId: job.assetId, generation, document: document! },
      (share) => shares.push(share),
    );
    expect(found).toMatchObject({ renditions: ALL, findings: [] });
    expect(found.violations.filter(({ level, about }) => level === 'MUST' && about === 'text')).toEqual([]);
    expect(shares.at(-1)).toBe(1);
  });

  test('does not miss what was withdrawn', async () => {
    const job = await encoded();
    await put(job, 'plan.json', Buffer.from(JSON.stringify({ job, plan: outputs.plan })));
    await context.store.remove(bucket, [keyOf(job, SEGMENT)]);
    await publish(job, { lastTry: true });
    expect(await review(job)).toMatchObject({ renditions: ALL.filter((name) => name !== '90p'), findings: [] });
  });

  test('names segments, playlists and pictures that got lost or changed, and touches nothing', async () => {
    const job = await published();
    await context.store.remove(bucket, [keyOf(job, 'manifest.mpd')]);
    await put(job, 'master.m3u8', Buffer.from('#EXTM3U\n'));
    expect((await review(job)).findings).toEqual([
      { name: 'master.m3u8', problem: 'It does not say what is there.' },
      { name: 'manifest.mpd', problem: 'It is missing.' },
    ]);
    await context.store.remove(
      bucket,
      [SEGMENT, 'poster.jpg'].map((name) => keyOf(job, name)),
    );
    const before = await namesOf(job);
    expect((await review(job)).findings).toEqual([
      one('90p', /^Segment 1: It is missing\.$/),
      { name: 'poster', problem: 'poster.jpg is missing.' },
    ]);
    expect(await namesOf(job)).toEqual(before);
  });
});
