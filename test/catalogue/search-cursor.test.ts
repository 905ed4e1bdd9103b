import { InvalidCursor, readCursor, writeCursor } from '../../src/catalogue/search-cursor.js';

const question = { tenant: 'a', text: 'x' };

test('a cursor brings its position back, to the same question only', () => {
  const position = ['exact', -1, 1732212345678901, 0.1, 'ü'];
  const cursor = writeCursor(question, position);
  expect(cursor).toMatch(/^[\w-]+$/);
  expect(readCursor({ ...question }, cursor)).toEqual(position);
  expect(() => readCursor({ ...question, tenant: 'b' }, cursor)).toThrow(InvalidCursor);
});

const forged = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const fingerprint = (JSON.parse(Buffer.from(writeCursor(question, []), 'base64url').toString()) as string[])[0];

test.each([
  ['nothing', ''],
  ['no JSON', 'abc'],
  ['no Base64', '%%%'],
  ['an object', forged({ 0: fingerprint })],
  ['another type within', forged([fingerprint, null])],
  ['an object within', forged([fingerprint, {}])],
  ['far too long', 'a'.repeat(100_000)],
])('%s is no cursor', (_name, cursor) => {
  expect(() => readCursor(question, cursor)).toThrow(InvalidCursor);
  expect(InvalidCursor.is(new InvalidCursor())).toBe(true);
});
