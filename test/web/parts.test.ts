/** What the page works out, without a browser. */
import { describe, expect, test } from '@jest/globals';

import { sayDeadline } from '../../web/src/asset/due.js';
import { bytes, clock, span, spoken, timeLeft } from '../../web/src/lib/format.js';
import { adviceFor } from '../../web/src/lib/advice.js';
import { rowsSeen, shapeOf } from '../../web/src/library/rows.js';
import { runsOf } from '../../web/src/asset/runs.js';
import { parseStoryboard, tileAt } from '../../web/src/player/storyboard.js';
import { ERRORS } from '../../src/contracts/errors.js';

test('numbers for people', () => {
  expect([0, 999, 1000, 1_234_567, 20e9].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '1.2 MB', '20.0 GB']);
  expect([0, 7, 65, 3723].map(clock)).toEqual(['0:00', '0:07', '1:05', '1:02:03']);
  expect([0, 1, 65, 3600].map(spoken)).toEqual(['0 seconds', '1 second', '1 minute 5 seconds', '1 hour']);
  expect([0.2, 59, 60, 7200].map(timeLeft)).toEqual(['1 s left', '59 s left', '1 min left', '2.0 h left']);
  expect([12, 2400, 185_000].map(span)).toEqual(['12 ms', '2.4 s', '3 min 5 s']);
});

test('a deadline for people', () => {
  const publishBy = '2026-11-21T12:00:00Z';
  const said = (own: object): string => sayDeadline({ ...own }, Date.parse(publishBy));
  expect(said({ publishBy, state: 'on-time' })).toMatch(/^Needed by 21 Nov 2026, [\d:]{8}$/);
  expect(said({ publishBy, state: 'at-risk', slackSeconds: -9 })).toMatch(/ · expected 9\.0 s late$/);
  expect(said({ publishBy, state: 'met', slackSeconds: 65 })).toMatch(/ · published 1 min 5 s early$/);
  expect(said({ publishBy, state: 'missed', slackSeconds: -0.4 })).toMatch(/ · published 400 ms late$/);
  expect(said({ publicationTimeout: 30 })).toBe('Needed 30.0 s after encoding starts');
  expect(said({ notBefore: '2026-11-21T12:00:01Z' })).toMatch(/^held back until 21 Nov 2026/);
  // It is over: nobody need know any more.
  expect(said({ notBefore: publishBy })).toBe('');
});

test('every failure comes with something to do', () => {
  for (const code of Object.keys(ERRORS)) expect(adviceFor(code)).toMatch(/^[A-Z].*\.$/);
  expect(adviceFor('OF_TOMORROW')).toBe(adviceFor('INTERNAL'));
});

describe('the grid', () => {
  test('has as many columns as fit', () => {
    expect([360, 480, 1000, 1440].map((width) => shapeOf(width).columns)).toEqual([2, 2, 4, 6]);
  });

  test('draws what is seen and a little more, wherever one is', () => {
    expect(rowsSeen(1000, 200, 0, 800)).toEqual({ from: 0, to: 7 });
    expect(rowsSeen(1000, 200, 100_000, 800)).toEqual({ from: 497, to: 507 });
    expect(rowsSeen(10, 200, 100_000, 800)).toEqual({ from: 6, to: 10 });
    expect(rowsSeen(0, 200, 0, 800)).toEqual({ from: 0, to: 0 });
  });
});

test('runs of equal segments', () => {
  expect(runsOf('')).toEqual([]);
  expect(runsOf('ddrw')).toEqual([
    { from: 0, length: 2, state: 'd' },
    { from: 2, length: 1, state: 'r' },
    { from: 3, length: 1, state: 'w' },
  ]);
});

test('storyboards: sheets beside the text take its token along, signed ones have their own', () => {
  const text = `WEBVTT

00:00:00.000 --> 00:00:02.000
sheet-000.jpg#xywh=0,0,160,90

01:00:02.000 --> 01:00:04.000
https://store.example/sheet-001.jpg?X-Amz-Signature=1#xywh=160,90,160,90
`;
  const tiles = parseStoryboard(text, 'https://media.example/v1/assets/1/play/storyboard/storyboard.vtt?token=t');
  expect(tiles).toEqual([
    {
      ...{ from: 0, to: 2, x: 0, y: 0, width: 160, height: 90 },
      sheet: 'https://media.example/v1/assets/1/play/storyboard/sheet-000.jpg?token=t',
    },
    {
      ...{ from: 3602, to: 3604, x: 160, y: 90, width: 160, height: 90 },
      sheet: 'https://store.example/sheet-001.jpg?X-Amz-Signature=1',
    },
  ]);
  expect(tileAt(tiles, 3000)).toBe(tiles[0]);
  expect(tileAt(tiles, 9999)).toBe(tiles[1]);
  expect(tileAt([], 1)).toBeUndefined();
  expect(parseStoryboard('nonsense', 'https://media.example/')).toEqual([]);
});
