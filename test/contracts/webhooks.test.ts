import { waitAfter } from '../../src/contracts/webhooks.js';

test('waits grow from seconds to half a day and stay there', () => {
  const waits = Array.from({ length: 12 }, (_, index) => waitAfter(index + 1, undefined, 0));
  expect(waits).toEqual([5, 30, 300, 1800, 7200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200, 43_200]);
});

test('deliveries that failed together do not come back together', () => {
  expect(waitAfter(3, undefined, 1)).toBeCloseTo(330);
});

test('a receiver may ask for a longer pause, up to a day, and not for a shorter one', () => {
  expect(waitAfter(1, 3600, 0)).toBe(3600);
  expect(waitAfter(1, 1e9, 0)).toBe(86_400);
  expect(waitAfter(4, 1, 0)).toBe(1800);
});
