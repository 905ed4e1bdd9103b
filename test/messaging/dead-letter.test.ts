import { cutLetter, deadLetterOf, readLetters, replayMarker, replayOf } from '../../src/messaging/dead-letter.js';
import type { BrokerRecord, OutgoingRecord } from '../../src/messaging/messaging.js';

const event: BrokerRecord = {
  topic: 'in',
  partition: 3,
  offset: '17',
  timestamp: '0',
  key: Buffer.from('k'),
  value: Buffer.from([0xff, 0x00]),
  headers: { trace: 't1' },
};
const stored = (letter: OutgoingRecord, offset: number): BrokerRecord => ({
  topic: letter.topic,
  partition: 0,
  offset: String(offset),
  timestamp: '0',
  key: letter.key === null ? null : Buffer.from(letter.key),
  value: letter.value === null ? null : Buffer.from(letter.value),
  headers: letter.headers ?? {},
});
const letter = deadLetterOf('dlq', event, 'EVENT_NOT_JSON', 'why', new Date(0));

test('a letter says where it comes from and why', () => {
  expect(readLetters([stored(letter, 5)])).toMatchObject([
    {
      id: '0:5',
      reason: 'EVENT_NOT_JSON',
      detail: 'why',
      origin: { topic: 'in', partition: 3, offset: '17' },
      time: '1970-01-01T00:00:00.000Z',
      replays: 0,
      replayed: false,
      whole: true,
    },
  ]);
});

test('a replay is the event as it was, and counts', () => {
  const [first] = readLetters([stored(letter, 5)]);
  const replay = replayOf(first!);
  expect(replay).toEqual({
    topic: 'in',
    key: event.key,
    value: event.value,
    headers: { trace: 't1', 'mediamill-replay': '1' },
  });
  const [second] = readLetters([
    stored(deadLetterOf('dlq', { ...stored(replay, 99), topic: 'in' }, 'EVENT_NOT_JSON', '', new Date(0)), 6),
  ]);
  expect(replayOf(second!).headers).toEqual({ trace: 't1', 'mediamill-replay': '2' });
});

test('a marker says that its letter has been replayed, and is no letter', () => {
  const [first] = readLetters([stored(letter, 5)]);
  const all = readLetters([stored(letter, 5), stored(letter, 6), stored(replayMarker(first!), 7)]);
  expect(all.map(({ id, replayed }) => [id, replayed])).toEqual([
    ['0:5', true],
    ['0:6', false],
  ]);
});

test('an oversize letter keeps the facts and the beginning', () => {
  const cut = cutLetter({ ...letter, value: Buffer.alloc(10_000, 'x') });
  expect(cut.value).toHaveLength(4096);
  expect(readLetters([stored(cut, 1)])).toMatchObject([{ reason: 'EVENT_NOT_JSON', whole: false }]);
});
