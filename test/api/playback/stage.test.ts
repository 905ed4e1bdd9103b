import { stageOf, type PlayedRow } from '../../../src/api/playback/stage.js';
import { assetRowOf as row } from '../../support/asset.js';

const place = (id: string, generation: number): string => `assets/${id}/g${generation}/`;

it.each<[string, Partial<PlayedRow>, number | undefined, number, string]>([
  ['being encoded', {}, undefined, 1, 'growing'],
  ['playable', { state: 'playable' }, 1, 1, 'growing'],
  ['ready', { state: 'ready', generation: 1 }, undefined, 1, 'published'],
  ['made again', { generation: 1, begun: 2 }, undefined, 1, 'published'],
  ['made again, the new one', { generation: 1, begun: 2 }, 2, 2, 'growing'],
  ['made again in vain', { state: 'failed', generation: 1, begun: 2 }, undefined, 1, 'published'],
  ['watched in an old generation', { state: 'ready', generation: 2, begun: 2 }, 1, 1, 'published'],
])('%s', (_, own, asked, generation, stage) => {
  const of = row(own);
  expect(stageOf(of, asked)).toEqual({ generation, stage, prefix: place(of.id, generation) });
});

it('plays what an asset of the same bytes has made before, and what it made itself after that', () => {
  const other = place('b'.repeat(24), 3);
  const of = row({ state: 'processing', generation: 1, begun: 2, outputsPrefix: other });
  expect(stageOf(of)).toEqual({ generation: 1, stage: 'published', prefix: other });
  expect(stageOf(of, 2)).toEqual({ generation: 2, stage: 'growing', prefix: place(of.id, 2) });
});

it.each<[string, Partial<PlayedRow> | undefined, number | undefined, string]>([
  ['unknown', undefined, undefined, 'asset-unknown'],
  ['deleted', { state: 'deleted', generation: 1 }, 1, 'asset-deleted'],
  ['failed', { state: 'failed' }, undefined, 'asset-failed'],
  ['cancelled', { state: 'cancelled' }, 1, 'asset-failed'],
  ['an image', { kind: 'image', state: 'ready', generation: 1 }, undefined, 'asset-not-playable'],
  ['not begun', {}, 2, 'not-found'],
])('%s', (_, own, generation, problem) => {
  expect(() => stageOf(own && row(own), generation)).toThrow(expect.objectContaining({ problem }) as Error);
});

it('shows nothing of what is held back, and says when to ask again', () => {
  const publishNotBefore = new Date(Date.now() + 60_000);
  for (const state of ['processing', 'playable', 'ready'] as const) {
    const refusal = expect.objectContaining({
      problem: 'embargoed',
      status: 403,
      details: { detail: expect.any(String) as string, retryAfter: expect.closeTo(60, 0) as number },
    }) as Error;
    expect(() => stageOf(row({ state, publishNotBefore }))).toThrow(refusal);
  }
  expect(stageOf(row({ state: 'playable', publishNotBefore: new Date() })).stage).toBe('growing');
});
