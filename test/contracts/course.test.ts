import { expect, test } from '@jest/globals';

import { courseOf, nextLookIn, priorityBySlack, reserveOf, type Outlook } from '../../src/contracts/course.js';

/** 100 s until the deadline, of which 10 are kept free; three rungs, 10 work per second. */
const outlook = (own: Partial<Outlook> = {}): Outlook => ({
  now: 1_000_000,
  publishBy: 1_100_000,
  layers: [50, 100, 400],
  hastyLayers: [40, 80, 250],
  lowest: 40,
  chunksLeft: 4,
  speed: 10,
  lanes: 1,
  waitSeconds: 0,
  publishSeconds: 3,
  reserveSeconds: 10,
  ...own,
});

test('with time enough nothing is done, and what is expected is said', () => {
  expect(courseOf(outlook())).toEqual({
    rungs: 3,
    isHasty: false,
    isAtRisk: false,
    // 55 s of work, 4 steps, and its publication.
    projectedAt: 1_060_000,
    publishAt: 1_090_000,
    // Twice the lowest rung and its steps, and the time to stop others.
    lastCallAt: 1_075_000,
  });
});

test('first it hurries, then it leaves rungs out from the top, then there is nothing left to be done', () => {
  const of = (seconds: number) => courseOf(outlook({ publishBy: 1_000_000 + seconds * 1000 }));
  const course = [90, 70, 30, 20, 8].map((seconds) => {
    const { isHasty, rungs, isAtRisk } = of(seconds);
    return { seconds, isHasty, rungs, isAtRisk };
  });
  expect(course).toEqual([
    { seconds: 90, isHasty: false, rungs: 3, isAtRisk: false },
    { seconds: 70, isHasty: true, rungs: 3, isAtRisk: false },
    { seconds: 30, isHasty: true, rungs: 2, isAtRisk: false },
    { seconds: 20, isHasty: true, rungs: 1, isAtRisk: false },
    { seconds: 8, isHasty: true, rungs: 1, isAtRisk: true },
  ]);
});

test('what does not fit in time follows: it is published with what there is', () => {
  const { projectedAt, publishAt } = courseOf(outlook({ publishBy: 1_030_000 }));
  expect([publishAt, projectedAt]).toEqual([1_020_000, 1_023_000]);
});

test('what waits in front of it makes it start with less, and is no reason to give it up: it goes before that', () => {
  const course = courseOf(outlook({ waitSeconds: 80 }));
  expect(course).toMatchObject({ rungs: 1, isHasty: true, isAtRisk: false });
});

test('what is whole already needs no time', () => {
  const rest = { layers: [0, 100, 400], hastyLayers: [0, 80, 250], lowest: 0 };
  const course = courseOf(outlook({ ...rest, publishBy: 1_004_000, waitSeconds: 60 }));
  expect(course).toMatchObject({ isAtRisk: false, rungs: 1 });
});

test('a deadline in the past is at risk from the first look on, and the last call is out', () => {
  const course = courseOf(outlook({ publishBy: 900_000 }));
  expect(course).toMatchObject({ isAtRisk: true, rungs: 1, isHasty: true });
  expect(course.lastCallAt).toBeLessThan(1_000_000);
  expect(course.projectedAt).toBe(1_009_000);
});

test('twice the lanes take half the time', () => {
  const one = courseOf(outlook()).projectedAt - 1_003_000;
  const two = courseOf(outlook({ lanes: 2 })).projectedAt - 1_003_000;
  expect(two).toBe(one / 2);
});

test('the less slack, the sooner; never later than its uploader asked for, and always before upgrades', () => {
  expect([-5, 29, 31, 119, 121].map((slack) => priorityBySlack(slack, 3))).toEqual([1, 1, 2, 2, 3]);
  expect([10, 60, 600].map((slack) => priorityBySlack(slack, 1))).toEqual([1, 1, 1]);
  expect([10, 60, 600].map((slack) => priorityBySlack(slack, 5))).toEqual([1, 2, 4]);
});

test('where there is time, a worker may die over the publication', () => {
  expect(reserveOf(600, 100)).toEqual({ publishSeconds: 3, reserveSeconds: 15 });
  expect(reserveOf(10, 100)).toEqual({ publishSeconds: 3, reserveSeconds: 5 });
  expect(reserveOf(-10, 100)).toEqual({ publishSeconds: 3, reserveSeconds: 4 });
});

test('a day ahead takes few looks, a day late too', () => {
  const looks = (from: number, until: number, sign: 1 | -1): number => {
    let count = 0;
    for (let slack = from; sign * slack < sign * until; count += 1) slack += sign * nextLookIn(slack);
    return count;
  };
  expect(looks(0, 86_400, 1)).toBeLessThan(100);
  expect(looks(86_400, 0, -1)).toBeLessThan(100);
});
