import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { decodeBase64 } from '../../../src/api/images/base64.js';

async function decode(pieces: readonly string[], maxBytes = 10_000_000): Promise<Buffer> {
  async function* source() {
    for (const piece of pieces) yield Buffer.from(piece, 'latin1');
  }
  const all: Buffer[] = [];
  for await (const piece of decodeBase64(source(), maxBytes)) all.push(piece);
  return Buffer.concat(all);
}

/** Cut into pieces of a few characters. */
const cut = (text: string, size: number): string[] => text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];

it('decodes what was encoded, wherever it is cut and broken into lines', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 90 }),
      async (bytes, size, line) => {
        const text = cut(Buffer.from(bytes).toString('base64'), line).join('\r\n');
        expect(await decode(cut(text, size))).toEqual(Buffer.from(bytes));
      },
    ),
  );
});

it('keeps nothing of a long one', async () => {
  const text = randomBytes(3_000_000).toString('base64');
  expect((await decode(cut(text, 65_536))).equals(Buffer.from(text, 'base64'))).toBe(true);
});

it('stops where it gets too long', async () => {
  const text = Buffer.alloc(1001).toString('base64');
  expect(await decode(cut(text, 100), 1001)).toHaveLength(1001);
  await expect(decode(cut(text, 100), 1000)).rejects.toMatchObject({ problem: 'too-large' });
});

it.each([
  ['no text', ['\0\xff\xd8']],
  ['another alphabet', ['AA-_']],
  ['a URL of data', ['data:image/png;base64,AAAA']],
  ['JSON', ['"AAAA"']],
  ['a missing end', ['AAAAA']],
  ['a missing padding', ['AAAAAA']],
  ['an end in the middle', ['AA==AAAA']],
  ['an end, and then more', ['AA==', 'AAAA']],
  ['an end, and then another', ['AA==', '==']],
  ['too much padding', ['A===']],
  ['nothing but padding', ['=']],
  ['padding that is cut', ['AAA', '=', '=']],
])('refuses %s', async (_, pieces) => {
  await expect(decode(pieces)).rejects.toMatchObject({ problem: 'invalid-request' });
});
