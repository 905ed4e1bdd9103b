/** HTML that shows an image in the best format and size for whoever looks at it. */
import type { ImageVariant } from '../../contracts/image.js';

export interface PublishedVariant extends Pick<ImageVariant, 'type' | 'width' | 'height' | 'fit' | 'format'> {
  readonly url: string;
}

type Format = ImageVariant['format'];

/** Best first: of several sources a browser takes the first that it can show. The last one is for all the others. */
const FORMATS: readonly Format[] = ['avif', 'webp', 'png', 'jpeg'];

/**
 * A `<picture>` of the responsive variants, with an empty `alt` to be filled in. Width and height are those of the
 * largest, so that a page keeps its place free. What moves is shown to everybody who has not asked for reduced motion.
 *
 * @returns an empty text when there are no responsive variants
 */
export function pictureElement(variants: readonly PublishedVariant[]): string {
  const stills = variants
    .filter(({ type, fit }) => type === 'image' && fit === 'inside')
    .sort((a, b) => a.width - b.width);
  const formats = FORMATS.filter((format) => stills.some((still) => still.format === format));
  const fallback = formats.at(-1);
  const largest = stills.findLast(({ format }) => format === fallback);
  if (!largest) return '';
  const sizes = `(max-width: ${largest.width}px) 100vw, ${largest.width}px`;
  const srcset = (format: Format | undefined): string =>
    stills
      .filter((still) => still.format === format)
      .map(({ url, width }) => `${inSrcset(url)} ${width}w`)
      .join(', ');
  const moving = variants.find(({ type }) => type === 'animation');
  const sources = [
    ...(moving
      ? [
          {
            type: typeOf(moving.format),
            media: '(prefers-reduced-motion: no-preference)',
            srcset: inSrcset(moving.url),
          },
        ]
      : []),
    ...formats.slice(0, -1).map((format) => ({ type: typeOf(format), srcset: srcset(format), sizes })),
  ];
  const { url: src, width, height } = largest;
  const image = { src, srcset: srcset(fallback), sizes, width, height, alt: '', loading: 'lazy', decoding: 'async' };
  return `<picture>${sources.map((source) => tag('source', source)).join('')}${tag('img', image)}</picture>`;
}

const typeOf = (format: Format): string => `image/${format}`;

function tag(name: string, attributes: Readonly<Record<string, string | number>>): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(String(value))}"`);
  return `<${name}${written.join('')}>`;
}

/** HTML, 13.1.2.3: nothing else ends or changes a value in double quotes. */
const escape = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** HTML, 4.8.4.2.1: white space ends a URL of a srcset, and so does a comma at its end. */
const inSrcset = (url: string): string => url.replaceAll(/\s/g, encodeURIComponent).replaceAll(',', '%2C');
