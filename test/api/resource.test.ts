/** What callers are shown of a row. */
import { progressOf, resourceOf } from '../../src/api/assets/resource.js';
import { conditionOf, etagOf } from '../../src/api/assets/revision.js';
import { baseUrl } from '../../src/api/urls.js';
import { loadConfig } from '../../src/config/index.js';
import type { AssetDocument } from '../../src/contracts/assets.js';
import { ApiProblem } from '../../src/api/problems.js';
import { assetRowOf } from '../support/asset.js';

const defaults = loadConfig({ files: [], env: {} });
const config = { ...defaults, http: { ...defaults.http, publicUrl: 'https://media.example/mill/' } };
const id = 'a'.repeat(24);
const canonical = 'b'.repeat(24);
const play = `https://media.example/mill/v1/assets/${id}/play/`;
const stored = (path: string): string => `http://127.0.0.1:9000/media/assets/${canonical}/g3/${path}`;

const document = (own: Partial<AssetDocument> = {}): AssetDocument => ({
  id,
  workflowId: 'w',
  kind: 'video',
  state: 'ready',
  source: { bucket: 'uploads', key: 'x' },
  renditions: [],
  playback: { hls: stored('master.m3u8'), storyboard: stored('storyboard/storyboard.vtt'), poster: undefined },
  timings: { uploadedAt: '', startedAt: '' },
  ...own,
});

it('sends players to us for what is published, wherever its bytes are', () => {
  const row = assetRowOf({ state: 'ready', generation: 1, document: document() });
  expect(resourceOf(row, config).playback).toEqual({
    hls: `${play}master.m3u8`,
    storyboard: `${play}storyboard/storyboard.vtt`,
  });
});

it('lets be watched what is being encoded as soon as it can be', () => {
  expect(resourceOf(assetRowOf({ state: 'processing' }), config)).toMatchObject({ playable: false, playback: {} });
  expect(resourceOf(assetRowOf({ state: 'playable' }), config)).toMatchObject({
    playable: true,
    playback: { hls: `${play}master.m3u8`, dash: `${play}manifest.mpd` },
  });
});

it('plays on what was published while it is made again, and when that fails', () => {
  for (const state of ['processing', 'failed', 'cancelled'] as const) {
    const row = assetRowOf({ state, generation: 1, begun: 2, document: document() });
    expect(resourceOf(row, config)).toMatchObject({ state, playable: true, playback: { hls: `${play}master.m3u8` } });
  }
});

it('shows nothing of what is deleted', () => {
  const row = assetRowOf({ state: 'deleted', generation: 1, document: document() });
  expect(resourceOf(row, config)).toMatchObject({ playable: false, playback: {}, renditions: [] });
});

it('has images sent by the store, or by the CDN in front of it', () => {
  const renditions = [
    { name: 'w1.webp', type: 'image', mime: 'image/webp', bytes: 1, url: stored('w1.webp') },
  ] as const;
  const row = assetRowOf({
    ...{ kind: 'image', state: 'ready', generation: 3 },
    document: document({ kind: 'image', renditions, playback: {} }),
  });
  expect(resourceOf(row, config).renditions[0]!.url).toBe(stored('w1.webp'));
  const withCdn = { ...config, http: { ...config.http, cdnUrl: 'https://cdn.example/x/' } };
  expect(resourceOf(row, withCdn).renditions[0]!.url).toBe(`https://cdn.example/x/assets/${canonical}/g3/w1.webp`);
});

it('says what becomes of a deadline, and of a time that has passed that it is a risk', () => {
  const of = (own: Parameters<typeof assetRowOf>[0]) => resourceOf(assetRowOf(own), config).deadline;
  const publishBy = new Date(Date.now() + 60_000);
  const past = new Date(Date.now() - 60_000);
  expect(of({})).toBeUndefined();
  expect(of({ publishBy, deadlineState: 'on-time' })).toEqual({
    ...{ publishBy: publishBy.toISOString(), state: 'on-time', measures: [] },
  });
  expect(of({ publishBy: past, deadlineState: 'on-time' })).toMatchObject({ state: 'at-risk' });
  expect(of({ publishBy: past, deadlineState: 'on-time', firstPublishedAt: past })).toMatchObject({ state: 'on-time' });
  const projectedAt = new Date(past.getTime() + 2_500);
  expect(of({ publishBy: past, projectedAt, deadlineState: 'missed', measures: ['preset'] })).toEqual({
    ...{ publishBy: past.toISOString(), projectedAt: projectedAt.toISOString(), slackSeconds: -2.5 },
    ...{ state: 'missed', measures: ['preset'] },
  });
  expect(of({ publishBy: past, state: 'deleted' })).toBeUndefined();
});

it('shows that something is held back, and nothing of it', () => {
  const held = assetRowOf({ state: 'playable', publishNotBefore: new Date(Date.now() + 60_000) });
  expect(resourceOf(held, config)).toMatchObject({
    ...{ playable: false, playback: {}, deadline: { notBefore: held.publishNotBefore!.toISOString() } },
  });
  const over = assetRowOf({ state: 'playable', publishNotBefore: new Date() });
  expect(resourceOf(over, config)).toMatchObject({ playable: true, playback: { hls: `${play}master.m3u8` } });
});

it('holds nothing that JSON does not', () => {
  const asset = resourceOf(assetRowOf({ state: 'playable' }), config, {
    progress: progressOf({
      ...{ assetId: id, kind: 'video', state: 'playable', stage: 'encoding', priority: 3, parts: [], percent: 5 },
      ...{ speed: undefined, timeLeft: undefined, retrying: undefined },
    }),
    history: [{ at: new Date(0), from: null, to: 'received', generation: 1, by: 'test', error: null }],
  });
  expect(JSON.parse(JSON.stringify(asset))).toStrictEqual(asset);
});

it('reads conditions as it writes ETags', () => {
  expect(conditionOf(etagOf(7))).toEqual({ revision: 7 });
  expect([conditionOf(undefined), conditionOf(' * ')]).toEqual([{}, {}]);
  expect(conditionOf('"x", "r3"')).toEqual({ revision: 3 });
  for (const header of ['', 'W/"r3"', '"r"', 'r3', '"r3\'']) expect(() => conditionOf(header)).toThrow(ApiProblem);
});

it('names an address that can be reached', () => {
  const at = (http: object): string => baseUrl({ http: { ...config.http, publicUrl: '', ...http } });
  expect(at({ host: '0.0.0.0', port: 1 })).toBe('http://127.0.0.1:1');
  expect(at({ host: '::1', port: 1 })).toBe('http://[::1]:1');
  expect(at({ host: '::', port: 1 })).toBe('http://[::1]:1');
  expect(at({ publicUrl: 'https://x.example//' })).toBe('https://x.example');
});
