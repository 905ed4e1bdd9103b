/** What has become of assets, for the metrics. */
import type { Transition } from '../catalogue/catalogue.js';
import type { AssetDocument, Job } from '../contracts/assets.js';
import { durationClassOf, metrics } from '../metrics/index.js';

/** To be called where it is published for the first time: a repair and what follows later say nothing new. */
export function countPublished(job: Job, { kind, state, renditions, timings }: AssetDocument): void {
  if (!kind || (state !== 'ready' && state !== 'partial')) return;
  metrics.assetsEnded.inc({ kind, state });
  // One that is made again was uploaded long ago, and an embargo is no delay.
  if (job.generation > 1 || job.publishNotBefore) return;
  const seconds = Math.max(...renditions.map(({ duration = NaN }) => duration).filter(Number.isFinite));
  const duration = kind === 'image' ? 'image' : durationClassOf(seconds);
  metrics.firstFrame.observe({ duration }, secondsBetween(timings.uploadedAt, timings.playableAt));
  metrics.ready.observe({ duration }, secondsBetween(timings.uploadedAt, timings.readyAt));
}

export function countEnded({ to, kind, error }: Pick<Transition, 'to' | 'kind' | 'error'>): void {
  if (to !== 'failed' && to !== 'cancelled') return;
  metrics.assetsEnded.inc({ kind: kind ?? 'unknown', state: to });
  if (to === 'failed' && error) metrics.failures.inc({ code: error.code });
}

/** The store's clock may be ahead of ours. */
const secondsBetween = (from: string, to: string | undefined): number =>
  to === undefined ? NaN : Math.max(0, Date.parse(to) - Date.parse(from)) / 1000;
