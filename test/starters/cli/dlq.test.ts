import type { DeadLetter } from '../../../src/messaging/dead-letter.js';
import { select } from '../../../src/starters/cli/dlq.js';

const letter = (id: string, over: Partial<DeadLetter> = {}): DeadLetter =>
  ({ id, reason: 'EVENT_NOT_JSON', replayed: false, whole: true, ...over }) as DeadLetter;
const all = [
  letter('0:0'),
  letter('0:1', { replayed: true }),
  letter('1:0', { reason: 'OBJECT_MISSING' }),
  letter('1:1', { whole: false }),
];
const ids = (letters: DeadLetter[]): string[] => letters.map(({ id }) => id);

test('what has been replayed, or was not kept whole, is left out', () => {
  expect(ids(select(all, [], { all: true }))).toEqual(['0:0', '1:0']);
  expect(ids(select(all, [], { all: true, again: true }))).toEqual(['0:0', '0:1', '1:0']);
  expect(ids(select(all, [], { reason: 'OBJECT_MISSING' }))).toEqual(['1:0']);
});

test('an event is replayed once by accident-proof default', () => {
  expect(() => select(all, ['0:1'], {})).toThrow('replayed already');
  expect(ids(select(all, ['0:1'], { again: true }))).toEqual(['0:1']);
});

test('asks what is meant', () => {
  expect(() => select(all, [], {})).toThrow('Say which events');
  expect(() => select(all, ['9:9'], {})).toThrow('no event 9:9');
  expect(() => select(all, ['1:1'], { again: true })).toThrow('too large');
});
