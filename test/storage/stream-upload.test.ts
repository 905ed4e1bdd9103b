import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { inParts, streamPartBytes } from '../../src/storage/stream-upload.js';

test('however a stream is cut, its parts are whole, in order, and nothing is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 })),
      fc.integer({ min: 1, max: 30 }),
      async (pieces, size) => {
        const parts: Buffer[] = [];
        const source = (async function* () {
          yield* pieces;
        })();
        const rest = await inParts(source, size, async (part) => void parts.push(part));
        expect(parts.every((part) => part.length === size)).toBe(true);
        expect(rest.length).toBeLessThan(size);
        expect(Buffer.concat([...parts, rest]).equals(Buffer.concat(pieces))).toBe(true);
      },
    ),
  );
});

test('no object needs more parts than S3 allows', () => {
  for (const bytes of [1, 20 * 1024 ** 3, 5 * 1024 ** 4]) {
    expect(Math.ceil(bytes / streamPartBytes(bytes))).toBeLessThanOrEqual(10_000);
  }
});
