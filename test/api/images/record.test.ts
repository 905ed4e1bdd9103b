import { imageOf, isImage, type ImageRow } from '../../../src/api/images/record.js';
import { assetRowOf } from '../../support/asset.js';

const row = (own: Partial<ImageRow>): ImageRow => assetRowOf({ kind: 'image', contentType: 'image/png', ...own });
const said = { media_id: 'a'.repeat(24), service: 'mediamill', media_type: 'image/png' };
const PROCESSING = { ...said, state: 'Processing', message: 'The image is being processed.', code: '' };
const COMPLETED = { ...said, state: 'Completed', message: 'The thumbnail is ready.', code: '' };
const damaged = { code: 'DAMAGED_FILE', message: 'The file is damaged and can not be decoded.' } as const;

it.each<[string, Partial<ImageRow>, object]>([
  ['just come in', { state: 'received', kind: null }, PROCESSING],
  ['being processed', { state: 'processing' }, PROCESSING],
  ['ready', { state: 'ready', generation: 1 }, COMPLETED],
  ['there in parts', { state: 'partial', generation: 1 }, COMPLETED],
  ['made again', { state: 'processing', generation: 1 }, COMPLETED],
  ['made again in vain', { state: 'failed', generation: 1, error: damaged }, COMPLETED],
  ['damaged', { state: 'failed', error: damaged }, { ...said, state: 'Error', ...damaged }],
  [
    'cancelled',
    { state: 'cancelled' },
    { ...said, state: 'Error', code: 'CANCELLED', message: 'Processing was cancelled.' },
  ],
  [
    'a video',
    { state: 'ready', generation: 1, kind: 'video' },
    { ...said, state: 'Error', code: 'UNSUPPORTED_TYPE', message: 'This type of file can not be processed.' },
  ],
  [
    'of a type that nobody named',
    { state: 'received', contentType: null },
    { ...PROCESSING, media_type: 'application/octet-stream' },
  ],
])('%s', (_, own, expected) => {
  expect(imageOf(row(own))).toEqual(expected);
});

it.each<[Partial<ImageRow>, boolean]>([
  [{}, true],
  [{ contentType: null }, true],
  [{ kind: null }, true],
  [{ kind: 'video' }, true],
  [{ kind: 'video', contentType: 'video/mp4' }, false],
  [{ kind: null, contentType: null }, false],
  [{ state: 'deleted' }, false],
])('whether %j is one of theirs', (own, expected) => {
  expect(isImage(row(own))).toBe(expected);
});
