import { expect, test } from '@jest/globals';

import { focalPointOf } from '../../../src/media/image/focal-point.js';

test.each([
  ['0.3,0.6', { x: 0.3, y: 0.6 }],
  [' 1 , 0 ', { x: 1, y: 0 }],
  ['.25,1.0', { x: 0.25, y: 1 }],
])('%s is a point', (text, point) => {
  expect(focalPointOf({ 'focal-point': text, other: 'x' })).toEqual(point);
});

test.each(['', '0.5', '0.5,', '1.1,0', '-0.1,0', 'a,b', '0.1,0.2,0.3', '1e-1,0', 'NaN,0', '0x1,0', '0.5;0.5'])(
  '%p is none',
  (text) => {
    expect(focalPointOf({ 'focal-point': text })).toBe('invalid');
  },
);

test('without one there is nothing to say', () => {
  expect(focalPointOf(undefined)).toBeUndefined();
  expect(focalPointOf({ 'focal-points': '0,0' })).toBeUndefined();
});
