/** An image: its best variant large, all of them side by side. */
import { useState } from 'preact/hooks';
import { nameOf, ours, type Asset, type Rendition } from '../lib/api.js';
import { bytes } from '../lib/format.js';
import type { ImageFacts } from '../../../src/contracts/image.js';
import { copy } from './actions.js';

const isPicture = ({ mime }: Rendition): boolean => /^image\/(jpeg|png|webp|avif|gif)$/.test(mime);

export function Gallery({ asset }: { asset: Asset }) {
  const pictures = (asset.renditions ?? [])
    .filter(isPicture)
    .sort((a, b) => (b.width ?? 0) - (a.width ?? 0) || a.bytes - b.bytes);
  const [name, setName] = useState<string>();
  const [isLarge, setLarge] = useState(false);
  const shown =
    pictures.find((one) => one.name === name) ?? pictures.find(({ type }) => type === 'animation') ?? pictures[0];
  if (!shown) return <div class="screen empty">{asset.image && <p>There is no picture to show.</p>}</div>;
  return (
    <>
      <div
        class={isLarge ? 'screen picture large' : 'screen picture'}
        style={{ aspectRatio: `${shown.width ?? 16} / ${shown.height ?? 9}` }}
        tabIndex={isLarge ? 0 : undefined}
        role={isLarge ? 'region' : undefined}
        aria-label={isLarge ? 'Picture in its own size' : undefined}
      >
        <button
          type="button"
          aria-pressed={isLarge}
          aria-label={isLarge ? 'Fit into the page' : 'Show in its own size'}
          onClick={() => setLarge(!isLarge)}
        >
          <img src={ours(shown.url)} width={shown.width} height={shown.height} alt={nameOf(asset)} />
        </button>
      </div>
      <ul class="variants" aria-label="Variants">
        {pictures.map((one) => (
          <li key={one.name}>
            <button type="button" aria-pressed={one === shown} onClick={() => setName(one.name)}>
              <span class="variant-frame">
                <img src={ours(one.url)} alt="" loading="lazy" decoding="async" />
              </span>
              <strong>{one.name}</strong>
              <span>
                {one.width} × {one.height}
              </span>
              <span>{bytes(one.bytes)}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

export function ImageTraits({ image }: { image: ImageFacts }) {
  return (
    <section class="panel">
      <h2>Colours and hashes</h2>
      <ul class="palette" aria-label="Palette">
        {image.palette.map((colour) => (
          <li key={colour}>
            <button type="button" onClick={() => copy(colour)} aria-label={`Copy ${colour}`}>
              <span class="swatch" style={{ backgroundColor: colour }} />
              <span>{colour}</span>
            </button>
          </li>
        ))}
      </ul>
      <dl class="source">
        {(
          [
            ['Perceptual hash', image.perceptualHash],
            ['ThumbHash', image.thumbHash],
            ['BlurHash', image.blurHash],
            ['SHA-256', image.sha256],
          ] as const
        ).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
