import { json, plain, table } from '../../../src/starters/cli/format.js';
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

test('JSON says the same in harmless characters', () => {
  const line = json({ name: EVIL, emoji: 'ü🎬' });
  expect(line).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u202a-\u202e]*$/);
  expect(JSON.parse(line)).toEqual({ name: EVIL, emoji: 'ü🎬' });
});
