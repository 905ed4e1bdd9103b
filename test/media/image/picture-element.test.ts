import { expect, test } from '@jest/globals';

import { pictureElement, type PublishedVariant } from '../../../src/media/image/picture-element.js';

const still = (width: number, format: PublishedVariant['format']): PublishedVariant => ({
  type: 'image',
  ...{ width, height: width / 2, fit: 'inside', format, url: `http://m/a/w${width}.${format}` },
});
const thumbnail: PublishedVariant = { ...still(100, 'jpeg'), type: 'thumbnail', height: 100, fit: 'cover' };
const square: PublishedVariant = { ...still(400, 'webp'), height: 400, fit: 'cover' };
const FORMATS = ['avif', 'webp', 'jpeg'] as const;

test('a source per format, best first, and a fallback that keeps the place free', () => {
  const variants = [640, 320].flatMap((width) => FORMATS.map((format) => still(width, format)));
  expect(pictureElement([thumbnail, square, ...variants])).toBe(
    '<picture>' +
      '<source type="image/avif" srcset="http://m/a/w320.avif 320w, http://m/a/w640.avif 640w" sizes="(max-width: 640px) 100vw, 640px">' +
      '<source type="image/webp" srcset="http://m/a/w320.webp 320w, http://m/a/w640.webp 640w" sizes="(max-width: 640px) 100vw, 640px">' +
      '<img src="http://m/a/w640.jpeg" srcset="http://m/a/w320.jpeg 320w, http://m/a/w640.jpeg 640w" sizes="(max-width: 640px) 100vw, 640px" width="640" height="320" alt="" loading="lazy" decoding="async">' +
      '</picture>',
  );
});

test('one format needs no source; transparency falls back to PNG', () => {
  expect(pictureElement([still(320, 'webp')])).toMatch(/^<picture><img src="http:\/\/m\/a\/w320\.webp"/);
  expect(pictureElement([still(320, 'webp'), still(320, 'png')])).toMatch(
    /^<picture><source type="image\/webp"[^>]*><img src="http:\/\/m\/a\/w320\.png"/,
  );
});

test('what moves comes first, for those who want it to', () => {
  const animation: PublishedVariant = { ...still(480, 'webp'), type: 'animation', url: 'http://m/a/animation.webp' };
  expect(pictureElement([still(320, 'jpeg'), animation])).toMatch(
    /^<picture><source type="image\/webp" media="\(prefers-reduced-motion: no-preference\)" srcset="http:\/\/m\/a\/animation\.webp"><img src="http:\/\/m\/a\/w320\.jpeg"/,
  );
});

test('a URL can end neither its attribute nor its place in the list', () => {
  const url = 'http://m/x?a=1&b="><script>\n,/w320.webp,';
  const html = pictureElement([{ ...still(320, 'webp'), url }]);
  expect(html).toContain('src="http://m/x?a=1&amp;b=&quot;&gt;&lt;script&gt;\n,/w320.webp,"');
  expect(html).toContain('srcset="http://m/x?a=1&amp;b=&quot;&gt;&lt;script&gt;%0A%2C/w320.webp%2C 320w"');
});

test('without responsive variants there is nothing to paste', () => {
  expect(pictureElement([thumbnail, square])).toBe('');
});
