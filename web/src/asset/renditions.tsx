import type { Asset, Rendition, Work } from '../lib/api.js';
import { ours } from '../lib/api.js';
import { bitrate, bytes, language } from '../lib/format.js';

const ORDER = ['video', 'audio', 'subtitles', 'image', 'animation', 'loop', 'thumbnail', 'poster', 'storyboard'];

export function Renditions({ asset, work }: { asset: Asset; work: Work | undefined }) {
  const renditions = [...(asset.renditions ?? [])].sort(
    (a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type) || (b.height ?? 0) - (a.height ?? 0),
  );
  if (renditions.length === 0) return null;
  const quality = work?.quality ?? {};
  const isMoving = asset.kind !== 'image';
  const hasQuality = renditions.some(({ name }) => quality[name] !== undefined);
  return (
    <section class="panel">
      <h2>Renditions</h2>
      <div class="table" tabIndex={0} role="region" aria-label="Renditions">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Picture</th>
              {isMoving && <th scope="col">Codec</th>}
              {isMoving && <th scope="col">Bitrate</th>}
              {hasQuality && <th scope="col">SSIM</th>}
              <th scope="col">Size</th>
              <th scope="col">
                <span class="unseen">Open</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {renditions.map((rendition) => (
              <tr key={rendition.name}>
                <th scope="row">{rendition.name}</th>
                <td>{shapeOf(rendition)}</td>
                {isMoving && <td>{rendition.codecs ?? ''}</td>}
                {isMoving && <td class="number">{rendition.bitrate ? bitrate(rendition.bitrate) : ''}</td>}
                {hasQuality && <td class="number">{quality[rendition.name]?.toFixed(4) ?? ''}</td>}
                <td class="number">{bytes(rendition.bytes)}</td>
                <td>
                  <a href={ours(rendition.url)} target="_blank" rel="noreferrer" aria-label={`Open ${rendition.name}`}>
                    Open
                  </a>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function shapeOf({ width, height, language: code, type }: Rendition): string {
  if (width && height) return `${width} × ${height}`;
  return (type === 'audio' || type === 'subtitles') && code ? language(code) : '';
}
