import type { Asset } from '../lib/api.js';
import { nameOf, ours } from '../lib/api.js';
import { Icon } from '../lib/icons.js';
import { copy } from './actions.js';

const escape = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

function snippetsOf(asset: Asset): readonly (readonly [name: string, text: string])[] {
  if (asset.image) return [['Picture element', asset.image.picture]];
  if (!asset.playback?.hls) return [];
  const { width = 16, height = 9 } = asset.renditions?.find(({ type }) => type === 'video') ?? {};
  const ratio = width > 0 && height > 0 ? `${width} / ${height}` : '16 / 9';
  const frame = `<iframe src="${location.origin}/embed/${asset.id}" title="${escape(nameOf(asset))}" style="aspect-ratio: ${ratio}; width: 100%; border: 0" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>`;
  const absolute = (url: string): string => new URL(ours(url), location.origin).href;
  return [
    ['Player to embed', frame],
    ['HLS', absolute(asset.playback.hls)],
    ...(asset.playback.dash ? [['DASH', absolute(asset.playback.dash)] as const] : []),
  ];
}

export function Share({ asset }: { asset: Asset }) {
  const snippets = snippetsOf(asset);
  if (snippets.length === 0) return null;
  return (
    <section class="panel">
      <h2>Use it elsewhere</h2>
      {snippets.map(([name, text]) => (
        <div class="snippet" key={name}>
          <h3>{name}</h3>
          <pre tabIndex={0} aria-label={name} role="region">
            {text}
          </pre>
          <button type="button" class="button" aria-label={`Copy ${name}`} onClick={() => copy(text)}>
            <Icon name="copy" size={16} /> Copy
          </button>
        </div>
      ))}
    </section>
  );
}
