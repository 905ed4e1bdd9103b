import type { AssetRow } from '../../../src/catalogue/catalogue.js';
import { stageOf } from '../../../src/starters/http/play/stage.js';
import { assetRowOf as row } from '../../support/asset.js';

it.each<[string, Partial<AssetRow>, number | undefined, object]>([
  ['being encoded', {}, undefined, { generation: 1, stage: 'growing' }],
  ['playable', { state: 'playable' }, 1, { generation: 1, stage: 'growing' }],
  ['ready', { state: 'ready', generation: 1 }, undefined, { generation: 1, stage: 'published' }],
  ['made again', { generation: 1, begun: 2 }, undefined, { generation: 1, stage: 'published' }],
  ['made again, the new one', { generation: 1, begun: 2 }, 2, { generation: 2, stage: 'growing' }],
  [
    'made again in vain',
    { state: 'failed', generation: 1, begun: 2 },
    undefined,
    { generation: 1, stage: 'published' },
  ],
  [
    'watched in an old generation',
    { state: 'ready', generation: 2, begun: 2 },
    1,
    { generation: 1, stage: 'published' },
  ],
])('%s', (_, own, generation, expected) => {
  expect(stageOf(row(own), generation)).toEqual(expected);
});

it.each<[string, Partial<AssetRow> | undefined, number | undefined, string]>([
  ['unknown', undefined, undefined, 'asset-unknown'],
  ['deleted', { state: 'deleted', generation: 1 }, 1, 'asset-deleted'],
  ['failed', { state: 'failed' }, undefined, 'asset-failed'],
  ['cancelled', { state: 'cancelled' }, 1, 'asset-failed'],
  ['an image', { kind: 'image', state: 'ready', generation: 1 }, undefined, 'asset-not-playable'],
  ['not begun', {}, 2, 'not-found'],
])('%s', (_, own, generation, problem) => {
  expect(() => stageOf(own && row(own), generation)).toThrow(expect.objectContaining({ problem }) as Error);
});
