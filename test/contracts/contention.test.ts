import { expect, test } from '@jest/globals';

import { isContended, type Demand } from '../../src/contracts/contention.js';

const NOW = 1_000_000;
/** Of two slots with ten work per second, 80 work are ten seconds of one with what comes beside it. */
const machines = { speed: 10, slots: 2 };
const needs = (...inSeconds: number[]): Demand[] =>
  inSeconds.map((seconds) => ({ neededBy: NOW + seconds * 1000, work: 80 }));
const of = (demands: readonly Demand[], mine: number): boolean =>
  isContended(demands, NOW + mine * 1000, machines, NOW);

test('what fits one after the other is not contended, and half as much again is kept free', () => {
  // 10 s each on two slots: 5, 10, 15; and half of that again.
  expect(of(needs(30, 30, 30), 30)).toBe(false);
  expect(of(needs(22, 22, 22), 22)).toBe(true);
  expect(of(needs(23, 23, 23), 23)).toBe(false);
});

test('whoever is needed later counts, whatever the order they are named in', () => {
  const demands = needs(100, 20, 20, 20);
  expect(of(demands, 100)).toBe(false);
  expect(of(demands, 20)).toBe(true);
  expect(of(demands.toReversed(), 20)).toBe(true);
  // One that could be whole at once: those after it could not.
  expect(of([...needs(9), ...needs(20, 20, 20)], 9)).toBe(true);
});

test('what others are late with is theirs: it takes its time, and no more', () => {
  expect(of([...needs(-60), ...needs(100)], 100)).toBe(false);
  expect(of([...needs(-60), ...needs(8)], 8)).toBe(true);
});

test('nothing to do is no contention', () => {
  expect(of([], 1)).toBe(false);
});
