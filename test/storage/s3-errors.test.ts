import { writeFile } from 'node:fs/promises';
import { MediaError } from '../../src/contracts/errors.js';
import { asNoSpace, asStoreError } from '../../src/storage/s3-errors.js';

const failed = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

test('a full disk is NO_SPACE', async () => {
  const error = await failed(writeFile('/dev/full', 'x'));
  for (const mapped of [asNoSpace(error), asStoreError(error)]) {
    expect(mapped).toMatchObject({ code: 'NO_SPACE', cause: error });
  }
});

test('other errors of local files and of our own code stay what they are', async () => {
  const error = await failed(writeFile('/no/such/folder/x', 'x'));
  for (const kept of [error, new TypeError('ours'), new MediaError('OBJECT_GONE'), 'text', null]) {
    expect(asStoreError(kept)).toBe(kept);
    expect(asNoSpace(kept)).toBe(kept);
  }
});

test.each([
  ['NoSuchKey', 'OBJECT_MISSING'],
  ['NoSuchBucket', 'OBJECT_MISSING'],
  ['PreconditionFailed', 'OBJECT_GONE'],
  ['KeyTooLongError', 'OBJECT_KEY_INVALID'],
  ['SlowDown', 'STORE_UNAVAILABLE'],
  ['AccessDenied', 'STORE_UNAVAILABLE'],
  ['ECONNREFUSED', 'STORE_UNAVAILABLE'],
])('%s is %s', (code, expected) => {
  expect(asStoreError(Object.assign(new Error('from the store'), { code }))).toMatchObject({ code: expected });
});
