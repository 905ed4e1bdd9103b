/** One asset with all that is known of it. */
import { useEffect, useRef } from 'preact/hooks';
import { StateBadge } from '../lib/badge.js';
import { isFinal, nameOf, type Asset, type Progress, type Work } from '../lib/api.js';
import { bytes, clock, plural, timeLeft } from '../lib/format.js';
import { Icon } from '../lib/icons.js';
import { cancel, removeWithUndo, repair, reprocess } from './actions.js';
import { DeadlineLine } from './deadline.js';
import { Failure, Missing } from './failure.js';
import { Gallery, ImageTraits } from './gallery.js';
import { History } from './history.js';
import { PlayerFrame } from './player-frame.js';
import { Renditions } from './renditions.js';
import { Share } from './share.js';
import { SourceFacts } from './source.js';
import { Strip } from './strip.js';
import { Tags, Title } from './title.js';
import { useAsset, useWork } from './use-asset.js';

export function AssetPage({ id }: { id: string }) {
  const { asset, progress, refusal, refresh } = useAsset(id);
  const work = useWork(asset);
  const name = asset && nameOf(asset);
  useEffect(() => scrollTo(0, 0), [id]);
  useEffect(() => {
    document.title = name ? `${name} · Mediamill` : 'Mediamill';
  }, [name]);
  const main = useRef<HTMLElement>(null);
  useEffect(() => main.current?.focus({ preventScroll: true }), [id]);
  const isGone = refusal !== undefined || asset?.state === 'deleted';
  return (
    <main id="main" class="asset" ref={main} tabIndex={-1} aria-label={name ?? 'Asset'}>
      <a class="back" href="/">
        <Icon name="back" size={18} /> Library
      </a>
      {isGone ? (
        <div class="nothing">
          <Icon name="alert" size={36} />
          <h1>{asset?.state === 'deleted' ? 'This was deleted' : 'This can not be shown'}</h1>
          <p>{refusal?.message ?? 'Nothing of it is kept.'}</p>
        </div>
      ) : asset ? (
        <Whole asset={asset} progress={progress} work={work} refresh={refresh} />
      ) : (
        <p class="more">Loading…</p>
      )}
    </main>
  );
}

interface WholeProps {
  readonly asset: Asset;
  readonly progress: Progress | undefined;
  readonly work: Work | undefined;
  readonly refresh: () => Promise<void>;
}

function Whole({ asset, progress, work, refresh }: WholeProps) {
  const isMoving = asset.kind === 'video' || asset.kind === 'audio';
  const underWay = !isFinal(asset.state);
  return (
    <div class="asset-columns">
      <div class="column">
        <div class="stage">
          {isMoving && <PlayerFrame asset={asset} />}
          {asset.kind === 'image' && <Gallery asset={asset} />}
          {!asset.kind && underWay && (
            <div class="screen empty">
              <p>Waiting to be looked at…</p>
            </div>
          )}
          {asset.error && <Failure error={asset.error} playable={asset.playable} />}
          {underWay && <UnderWay asset={asset} progress={progress} />}
        </div>
        <div class="made">
          {work && work.streams.length > 0 && <Strip work={work} isFinal={!underWay} />}
          {asset.missing && asset.missing.length > 0 && <Missing missing={asset.missing} />}
          <Renditions asset={asset} work={work} />
        </div>
      </div>
      <div class="column">
        <div class="facts">
          <Title asset={asset} refresh={refresh} />
          <p class="asset-line">
            <StateBadge state={asset.state} published={asset.generation > 0} always />
            <span>{lineOf(asset)}</span>
          </p>
          {asset.deadline && <DeadlineLine deadline={asset.deadline} />}
          <Tags asset={asset} refresh={refresh} />
          <Actions asset={asset} work={work} refresh={refresh} />
        </div>
        <div class="details">
          {asset.image && <ImageTraits image={asset.image} />}
          <Share asset={asset} />
          <SourceFacts asset={asset} work={work} />
          {asset.history && <History lines={asset.history} />}
        </div>
      </div>
    </div>
  );
}

const lineOf = ({ duration, bytes: size, image }: Asset): string =>
  [duration && clock(duration), image && `${image.width} × ${image.height}`, size && bytes(size)]
    .filter(Boolean)
    .join(' · ');

const STAGES: Readonly<Record<string, string>> = {
  inspecting: 'Looking at the file',
  encoding: 'Encoding',
  publishing: 'Checking and publishing',
  mending: 'Making again what was at fault',
};

function UnderWay({ asset, progress }: { asset: Asset; progress: Progress | undefined }) {
  const stage = STAGES[progress?.stage ?? ''] ?? 'Waiting for a worker';
  const facts = [
    progress && `${Math.floor(progress.percent)} %`,
    progress?.speed && `${progress.speed.toFixed(1)}× real time`,
    progress?.timeLeft !== undefined && timeLeft(progress.timeLeft),
  ].filter(Boolean);
  return (
    <section class="panel under-way-panel" aria-label="Progress">
      <p>
        <strong>{stage}</strong>
        <span>{facts.join(' · ')}</span>
      </p>
      <progress max={100} value={progress?.percent ?? 0} aria-label={`Processing ${nameOf(asset)}`} />
      {progress?.retrying && (
        <p class="hint">
          {progress.retrying.step} did not work {plural(progress.retrying.attempt - 1, 'time')} and is tried again:{' '}
          {progress.retrying.reason}
        </p>
      )}
    </section>
  );
}

function Actions({ asset, work, refresh }: Omit<WholeProps, 'progress'>) {
  const { id, kind, state, legalHold } = asset;
  const underWay = !isFinal(state);
  const isRepairable = kind !== 'image' && (state === 'ready' || state === 'partial');
  return (
    <div class="actions">
      {underWay ? (
        <button type="button" class="button" onClick={() => cancel(id, refresh)}>
          Cancel
        </button>
      ) : (
        <>
          <button type="button" class="button" onClick={() => reprocess(asset, refresh)}>
            Process again
          </button>
          {isRepairable && (
            <button type="button" class="button" onClick={() => repair(id)}>
              Repair
            </button>
          )}
        </>
      )}
      {work && (
        <a class="button" href={work.workflow.url} target="_blank" rel="noreferrer">
          Workflow <Icon name="outside" size={16} />
        </a>
      )}
      <button
        type="button"
        class="button danger"
        disabled={legalHold}
        title={legalHold ? 'It is on legal hold.' : undefined}
        onClick={() => removeWithUndo(asset)}
      >
        <Icon name="trash" size={18} /> Delete
      </button>
    </div>
  );
}
