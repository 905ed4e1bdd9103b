import { choosePoster, rate } from '../../../src/media/image/poster-choice.js';

const GOOD = { brightness: 120, contrast: 55, entropy: 7.3, sharpness: 18 };

describe('the best poster', () => {
  it.each([
    ['black', { brightness: 0, contrast: 0, entropy: 0, sharpness: 0 }],
    ['white', { brightness: 255, contrast: 0, entropy: 0, sharpness: 0 }],
    ['one colour', { brightness: 120, contrast: 0, entropy: 0, sharpness: 0 }],
    ['white text on black', { brightness: 9, contrast: 45, entropy: 1.2, sharpness: 30 }],
    ['blurred', { ...GOOD, sharpness: 1.5 }],
    ['dark', { ...GOOD, brightness: 15, contrast: 12 }],
    ['overexposed', { ...GOOD, brightness: 240 }],
  ])('is not %s', (_, looks) => {
    expect(rate(looks)).toBeGreaterThanOrEqual(0);
    expect(choosePoster([looks, GOOD, looks])).toBe(1);
  });

  it('is the earlier of two that are about as good', () => {
    expect(choosePoster([GOOD, { ...GOOD, sharpness: 18.5 }])).toBe(0);
    expect(choosePoster([GOOD, { ...GOOD, sharpness: 24, contrast: 60 }])).toBe(1);
  });

  it('is the first where none shows anything', () => {
    const black = { brightness: 0, contrast: 0, entropy: 0, sharpness: 0 };
    expect(choosePoster([black, black])).toBe(0);
  });
});
