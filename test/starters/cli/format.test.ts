import { count, json, plain, table } from '../../../src/starters/cli/format.js';
import { Lines } from '../../../src/starters/cli/lines.js';

const EVIL = 'a\u001b[2Jb\u009b31mc\rd\u007fe\u202egpj.exe';

test('nothing that a terminal obeys gets through', () => {
  expect(plain(EVIL)).toBe('a?[2Jb?31mc?d?e?gpj.exe');
  expect(table([['x', EVIL]])).toBe(`x  ${plain(EVIL)}`);
  const written: string[] = [];
  const out = { isTTY: false, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  new Lines(out).set(EVIL, 0, `failed ${EVIL}`);
  expect(written).toEqual([`${plain(EVIL)}  failed ${plain(EVIL)}\n`]);
});

test('on a terminal a note stays above the lines that are rewritten', () => {
  const written: string[] = [];
  const out = { isTTY: true, columns: 80, write: (text: string) => written.push(text) };
  const lines = new Lines(out as unknown as NodeJS.WriteStream);
  lines.set('a', 0, '10 %');
  lines.add('a  can be watched');
  lines.set('a', 0, '20 %');
  expect(written.join('')).toBe(
    '\u001b[2Ka  10 %\n' +
      '\u001b[1A\u001b[J' +
      'a  can be watched\n\u001b[2Ka  10 %\n' +
      '\u001b[1A\u001b[2Ka  20 %\n',
  );
});

test('one is one, and more are many', () => {
  expect([0, 1, 2].map((n) => count(n, 'frame'))).toEqual(['0 frames', '1 frame', '2 frames']);
});

test('JSON says the same in harmless characters', () => {
  const line = json({ name: EVIL, emoji: 'ü🎬' });
  expect(line).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u202a-\u202e]*$/);
  expect(JSON.parse(line)).toEqual({ name: EVIL, emoji: 'ü🎬' });
});
