/** What is said of deadlines, and which of several counts. */
import { deadlineOf, heldBackFor, isInTime, problemOfWishes } from '../../src/contracts/deadlines.js';

const NOON = '2026-11-21T12:00:00.000Z';
const LATER = '2026-11-21T12:00:30.000Z';

test.each([
  [{}],
  [{ publishBy: NOON }],
  // In the past: as soon as possible.
  [{ publishBy: '1999-01-01T00:00:00Z' }],
  [{ publishBy: '2026-11-21T13:00:00+01:00', publishNotBefore: NOON }],
  [{ publicationTimeout: 0.5 }],
  [{ publicationTimeout: 30 * 86_400 }],
  [{ publishNotBefore: LATER, publicationTimeout: 1 }],
])('may be said: %j', (wishes) => expect(problemOfWishes(wishes)).toBeUndefined());

test.each([
  [{ publishBy: 'soon' }, 'publishBy must be a date and time with a zone'],
  [{ publishBy: '2026-11-21' }, 'publishBy must be a date and time with a zone'],
  // Whose noon?
  [{ publishBy: '2026-11-21T12:00:00' }, 'publishBy must be a date and time with a zone'],
  [{ publishNotBefore: '2026-13-41T12:00:00Z' }, 'publishNotBefore must be a date and time with a zone'],
  [{ publishBy: '0001-01-01T00:00:00Z' }, 'publishBy must be in the years 1970 to 8999'],
  [{ publishNotBefore: '9999-12-31T23:59:59-01:00' }, 'publishNotBefore must be in the years 1970 to 8999'],
  [{ publicationTimeout: 0 }, 'publicationTimeout must be seconds, more than 0 and at most 2592000'],
  [{ publicationTimeout: -5 }, 'publicationTimeout must be seconds, more than 0 and at most 2592000'],
  [{ publicationTimeout: NaN }, 'publicationTimeout must be seconds, more than 0 and at most 2592000'],
  [{ publicationTimeout: 1e9 }, 'publicationTimeout must be seconds, more than 0 and at most 2592000'],
  [{ publishBy: NOON, publishNotBefore: LATER }, 'publishNotBefore must not be later than publishBy'],
])('is refused: %j', (wishes, problem) => expect(problemOfWishes(wishes)).toBe(problem));

test('of several deadlines the first counts, and a timeout only when encoding has started', () => {
  expect(deadlineOf({}, NOON)).toBeUndefined();
  expect(deadlineOf({ publicationTimeout: 30 }, undefined)).toBeUndefined();
  expect(deadlineOf({ publicationTimeout: 30 }, NOON)).toBe(LATER);
  expect(deadlineOf({ publishBy: NOON, publicationTimeout: 30 }, NOON)).toBe(NOON);
  expect(deadlineOf({ publishBy: '2026-11-21T13:00:00+01:00' }, undefined)).toBe(NOON);
  // Nothing can be published while it is held back.
  expect(deadlineOf({ publicationTimeout: 1, publishNotBefore: LATER }, NOON)).toBe(LATER);
});

test('what is held back until its deadline has the second in which it is let go', () => {
  expect(isInTime(NOON, { publishBy: NOON })).toBe(true);
  expect(isInTime('2026-11-21T12:00:00.001Z', { publishBy: NOON })).toBe(false);
  expect(isInTime('2026-11-21T12:00:00.900Z', { publishBy: NOON, publishNotBefore: NOON })).toBe(true);
  expect(isInTime('2026-11-21T12:00:01.001Z', { publishBy: NOON, publishNotBefore: NOON })).toBe(false);
});

test('an embargo ends at its instant, in whatever zone it was said', () => {
  const noon = Date.parse(NOON);
  expect(heldBackFor(undefined, noon)).toBe(0);
  expect(heldBackFor(null, noon)).toBe(0);
  expect(heldBackFor('2026-11-21T07:00:01-05:00', noon)).toBe(1000);
  expect(heldBackFor(new Date(noon), noon)).toBe(0);
});
