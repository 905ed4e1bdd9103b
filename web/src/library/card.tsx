import { memo } from '../lib/memo.js';
import { nameOf, type Asset, type Progress } from '../lib/api.js';
import { useCell } from '../lib/cell.js';
import { ago, bytes, clock, spoken, timeLeft } from '../lib/format.js';
import { Icon } from '../lib/icons.js';
import { StateBadge } from '../lib/badge.js';
import { progress } from './model.js';
import { Thumb } from './thumb.js';

export const Card = memo(function Card({ asset }: { asset: Asset }) {
  const name = nameOf(asset);
  return (
    <a class="card" href={`/assets/${asset.id}`} data-state={asset.state}>
      <span class="frame">
        <Thumb asset={asset} />
        <StateBadge state={asset.state} published={asset.generation > 0} />
        {asset.duration ? (
          <span class="length">
            <span aria-hidden="true">{clock(asset.duration)}</span>
            <span class="unseen">{spoken(asset.duration)}</span>
          </span>
        ) : null}
        <CardProgress asset={asset} />
      </span>
      <span class="name" title={name}>
        {name}
      </span>
      <span class="about">
        {asset.error ? <span class="reason">{asset.error.message}</span> : <Facts asset={asset} />}
      </span>
    </a>
  );
});

function Facts({ asset }: { asset: Asset }) {
  const size =
    asset.kind === 'image'
      ? asset.image && `${asset.image.width} × ${asset.image.height}`
      : tallest(asset.renditions?.map(({ height }) => height ?? 0));
  const facts = [size, asset.bytes ? bytes(asset.bytes) : undefined, ago(asset.createdAt)];
  return <>{facts.filter(Boolean).join(' · ')}</>;
}

const tallest = (heights: readonly number[] = []): string | undefined => {
  const height = Math.max(0, ...heights);
  return height > 0 ? `${height}p` : undefined;
};

function CardProgress({ asset }: { asset: Asset }) {
  const all = useCell(progress);
  if (!['received', 'processing', 'playable'].includes(asset.state)) return null;
  const now: Progress | undefined = all.get(asset.id) ?? asset.progress;
  return (
    <span class="under-way">
      {now && (
        <span class="percent">
          {Math.floor(now.percent)} %{now.timeLeft !== undefined && ` · ${timeLeft(now.timeLeft)}`}
        </span>
      )}
      <progress max={100} value={now?.percent ?? 0} aria-label={`Processing ${nameOf(asset)}`} />
    </span>
  );
}

export function EmptyCard() {
  return (
    <span class="card waiting" aria-hidden="true">
      <span class="frame">
        <span class="thumb" />
      </span>
      <span class="name" />
      <span class="about" />
    </span>
  );
}

export function Nothing({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  return filtered ? (
    <div class="nothing">
      <Icon name="search" size={36} />
      <h2>Nothing matches</h2>
      <p>Try other words, or fewer filters.</p>
      <button type="button" class="button" onClick={onClear}>
        Show everything
      </button>
    </div>
  ) : (
    <div class="nothing">
      <Icon name="upload" size={36} />
      <h2>Drop your first file</h2>
      <p>
        Videos, sound and pictures. A video can be watched seconds after its upload, while it is still being encoded.
      </p>
    </div>
  );
}
