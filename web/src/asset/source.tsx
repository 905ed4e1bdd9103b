import type { Asset, Work } from '../lib/api.js';
import { bytes, clock, language, moment } from '../lib/format.js';
import { Icon } from '../lib/icons.js';

type Fact = readonly [name: string, value: string | undefined];

function factsOf(asset: Asset, work: Work | undefined): Fact[] {
  const source = work?.source;
  const video = source?.video;
  return [
    ['File', asset.fileName ?? undefined],
    ['Size', asset.bytes ? bytes(asset.bytes) : undefined],
    ['Uploaded', moment(asset.createdAt)],
    ['Format', source?.container ?? asset.image?.format],
    ['Length', asset.duration ? clock(asset.duration) : undefined],
    [
      'Picture',
      video &&
        `${video.codec}, ${video.width} × ${video.height}, ${+video.frameRate.toFixed(3)} fps, ${video.pixelFormat}`,
    ],
    ['Colours', video?.transfer],
    ...(source?.audio ?? []).map(({ codec, channels, sampleRate, language: code }, i): Fact => [
      `Sound ${i + 1}`,
      [
        codec,
        channels === 1 ? 'mono' : channels === 2 ? 'stereo' : `${channels} channels`,
        `${sampleRate / 1000} kHz`,
        code && language(code),
      ]
        .filter(Boolean)
        .join(', '),
    ]),
    ...(source?.subtitles ?? []).map(({ codec, language: code }, i): Fact => [
      `Subtitles ${i + 1}`,
      `${codec}, ${language(code)}`,
    ]),
    ['Profile', asset.profile],
    ['Priority', String(asset.priority)],
    ['SHA-256', asset.sha256 ?? undefined],
    ['Asset', asset.id],
    ['Workflow', work?.workflow.id],
    ...Object.entries(asset.metadata ?? {}),
  ];
}

export function SourceFacts({ asset, work }: { asset: Asset; work: Work | undefined }) {
  return (
    <section class="panel">
      <h2>Source</h2>
      <dl class="source">
        {factsOf(asset, work)
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {work?.sourceUrl && (
        <a class="button" href={work.sourceUrl} download>
          <Icon name="download" size={16} /> Download the original
        </a>
      )}
    </section>
  );
}
