import fc from 'fast-check';

import { queryOf, wordsOf } from '../../src/catalogue/search-text.js';

test.each([
  ['Über den Wolken', ['uber', 'den', 'wolken']],
  ['  IMG_2024-01.02.JPG ', ['img', '2024', '01', '02', 'jpg']],
  ["o'neil\\ & (x | !y):*<->", ['o', 'neil', 'x', 'y']],
  ['Crème\u0000brûlée', ['creme', 'brulee']],
  ['猫の動画', ['猫の動画']],
  [' .,;', []],
  ['', []],
])('%j is the words %j', (text, words) => {
  expect(wordsOf(text)).toEqual(words);
});

test('of a whole book, the first words are searched for', () => {
  expect(wordsOf('word '.repeat(1000))).toHaveLength(16);
});

test('no text leaves anything that a tsquery or a LIKE takes for its own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const word of wordsOf(text)) expect(word).not.toMatch(/[\s'\\%_&|!()<>:*\0]/);
    }),
  );
});

test('every word is wanted; the last one may go on; others may stand in its place', () => {
  expect(queryOf(['a', 'b'], [])).toBe("('a') & ('b')");
  expect(queryOf(['a', 'hol'], 'any')).toBe("('a') & ('hol':*)");
  expect(queryOf(['a', 'hol'], ['holiday', 'hole'])).toBe("('a') & ('hol' | 'holiday' | 'hole')");
  expect(queryOf(['vdeo', 'x'], [], [['video', 'radio'], []])).toBe("('vdeo' | 'video' | 'radio') & ('x')");
});
