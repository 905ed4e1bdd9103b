/** What must hold of every asset that came to a good end, whatever happened on the way. */
import { expect } from '@jest/globals';

import { verifyPublished } from '../../src/activities/publish/verify-published.js';
import type { AssetRow } from '../../src/catalogue/catalogue.js';
import { outputPrefix, type AssetDocument, type Job } from '../../src/contracts/assets.js';
import { decodeAll } from '../../src/starters/cli/decode-check.js';
import type { Outside } from './mill.js';

/** Names below a generation's prefix. */
export async function objectsOf({ store, mediaBucket }: Outside, job: Job): Promise<string[]> {
  const prefix = outputPrefix(job.assetId, job.generation);
  const names: string[] = [];
  for await (const { key } of store.list(mediaBucket, prefix)) names.push(key.slice(prefix.length));
  return names.sort();
}

/**
 * Ready, verified, decoded to the last frame; every object is named by its documents and every named one is there;
 * each state once in its history; one document.
 *
 * @param frames of every rung
 */
export async function expectFinished(outside: Outside, job: Job, frames: number): Promise<void> {
  const { store, catalogue, mediaBucket } = outside;
  const row = (await catalogue.find(job.assetId)) as AssetRow;
  expect(row).toMatchObject({ state: 'ready', generation: job.generation, error: null });
  const document = row.document!;
  const at = { assetId: job.assetId, generation: job.generation };
  expect((await verifyPublished({ store, bucket: mediaBucket }, { ...at, document })).findings).toEqual([]);

  const checked = await decodeAll(document);
  expect(checked.filter(({ problem }) => problem)).toEqual([]);
  const rungs = checked.filter(({ name }) => /^\d+p$/.test(name));
  expect(rungs.length).toBeGreaterThan(0);
  for (const { facts } of rungs) expect(facts).toContain(`${frames} frames`);

  expect(await objectsOf(outside, job)).toEqual(await namedObjects(outside, job, document));

  const history = await catalogue.history(job.assetId);
  expect(history.map(({ to }) => to)).toEqual(['processing', 'playable', 'ready']);
  const prefix = outputPrefix(job.assetId, job.generation);
  const { catalogue: entry, ...stored } = JSON.parse(
    (await store.read(mediaBucket, `${prefix}asset.json`)).toString(),
  ) as AssetDocument;
  expect(stored).toEqual(document);
  expect(entry!.history.map(({ to }) => to)).toEqual(['processing', 'playable']);
}

/** Follows every name, from `asset.json` through playlists and WebVTT. */
async function namedObjects({ store, mediaBucket }: Outside, job: Job, document: AssetDocument): Promise<string[]> {
  const prefix = outputPrefix(job.assetId, job.generation);
  const root = store.publicUrl(mediaBucket, prefix);
  const named = new Set(['asset.json', 'plan.json', 'made.json'].map((name) => root + name));
  const { hls, dash, poster, storyboard } = document.playback;
  const entries = [hls, dash, poster, storyboard, ...document.renditions.map(({ url }) => url)];
  const left = entries.filter((url) => url !== undefined);
  for (let url = left.pop(); url !== undefined; url = left.pop()) {
    if (named.has(url)) continue;
    named.add(url);
    if (!/\.(m3u8|vtt)$/.test(url)) continue;
    const key = prefix + url.slice(root.length);
    for (const name of namesIn((await store.read(mediaBucket, key)).toString())) left.push(new URL(name, url).href);
  }
  // The whole text of subtitles, for downloads: `asset.json` names its playlist, which names its pieces.
  for (const { type, url } of document.renditions) if (type === 'subtitles') named.add(new URL('subs.vtt', url).href);
  return [...named].map((url) => url.slice(root.length)).sort();
}

/** Lines of a playlist that are URIs, URIs in its tags, and pictures that a storyboard names. */
function namesIn(text: string): string[] {
  const inTags = [...text.matchAll(/URI="([^"]+)"/g)].map(([, uri]) => uri!);
  const lines = text.startsWith('#EXTM3U') ? text.split('\n').filter((line) => line && !line.startsWith('#')) : [];
  const pictures = [...text.matchAll(/^(.+)#xywh=/gm)].map(([, name]) => name!);
  return [...inTags, ...lines, ...pictures];
}
