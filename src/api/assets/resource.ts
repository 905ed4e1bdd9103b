/** A row of the catalogue as callers see it. Pure. */
import type { AssetRow, HistoryRow } from '../../catalogue/catalogue.js';
import type { Delivery } from '../../catalogue/deliveries.js';
import type { LiveProgress } from '../../client/progress.js';
import type { Config } from '../../config/schema.js';
import type { AssetDocument, RenditionDocument } from '../../contracts/assets.js';
import { heldBackFor } from '../../contracts/deadlines.js';
import { MANIFEST_FILE, MASTER_FILE } from '../../media/video/layout.js';
import { deadlineOf } from './deadline.js';
import { deliveryOf } from './deliveries.js';
import { baseUrl } from '../urls.js';
import type { Asset, AssetProgress } from './schemas.js';

export interface ResourceExtras {
  readonly progress?: AssetProgress | undefined;
  readonly history?: readonly HistoryRow[] | undefined;
  readonly deliveries?: readonly Delivery[] | undefined;
}

export function resourceOf(
  row: AssetRow,
  config: Pick<Config, 'http' | 'storage'>,
  extras: ResourceExtras = {},
): Asset {
  const { id, state } = row;
  const published = state === 'deleted' || row.generation === 0 ? undefined : (row.document ?? undefined);
  const place = placeOf(row, config);
  return {
    id,
    ...(row.kind && { kind: row.kind }),
    state,
    ...(row.title !== null && { title: row.title }),
    ...(row.fileName !== null && { fileName: row.fileName }),
    tags: [...row.tags],
    metadata: { ...row.metadata },
    profile: row.profile,
    priority: row.priority,
    ...(row.bytes !== null && { bytes: row.bytes }),
    ...(row.duration !== null && { duration: row.duration }),
    ...(row.contentType !== null && { contentType: row.contentType }),
    ...(row.sourceSha256 !== null && { sha256: row.sourceSha256 }),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    playable: isPlayable(row),
    generation: row.generation,
    legalHold: row.legalHold,
    ...deadlineOf(row),
    ...(row.error && { error: row.error }),
    renditions: (published?.renditions ?? []).map((rendition) => renditionOf(rendition, place)),
    ...(published?.missing && { missing: published.missing.map(({ name, error }) => ({ name, error })) }),
    playback: playbackOf(row, published, place),
    ...(published?.image && { image: { ...published.image, palette: [...published.image.palette] } }),
    ...(extras.deliveries?.length && { deliveries: extras.deliveries.map(deliveryOf) }),
    ...(extras.progress && { progress: extras.progress }),
    ...(extras.history && { history: extras.history.map(historyOf) }),
  };
}

/** What is published plays on while another generation is made, and when that one fails. */
export const isPlayable = ({
  state,
  generation,
  publishNotBefore,
}: Pick<AssetRow, 'state' | 'generation' | 'publishNotBefore'>): boolean =>
  state !== 'deleted' && (generation > 0 || state === 'playable') && heldBackFor(publishNotBefore, Date.now()) === 0;

export const progressOf = ({ percent, stage, speed, timeLeft, parts, retrying }: LiveProgress): AssetProgress => ({
  percent,
  stage,
  ...(speed !== undefined && { speed }),
  ...(timeLeft !== undefined && { timeLeft }),
  parts: parts.map(({ name, state, error }) => ({ name, state, ...(error && { error }) })),
  ...(retrying && { retrying }),
});

type Place = (url: string) => string;

/**
 * Documents name the store's own URLs. What is played goes by way of us, who know what may be played by whom; of images
 * the store or its CDN sends the bytes.
 */
function placeOf({ id, kind }: AssetRow, config: Pick<Config, 'http' | 'storage'>): Place {
  const cdn = config.http.cdnUrl.replace(/\/+$/, '');
  return (url) => {
    const [, key, path] = /\/(assets\/[0-9a-f]{24}\/g\d+\/(.+))$/.exec(url) ?? [];
    if (key === undefined || path === undefined) return url;
    if (kind !== 'image') return playUrl(config, id, path);
    return cdn === '' ? url : `${cdn}/${key}`;
  };
}

const playUrl = (config: Pick<Config, 'http'>, id: string, path: string): string =>
  `${baseUrl(config)}/v1/assets/${id}/play/${path}`;

const renditionOf = (rendition: RenditionDocument, place: Place): Asset['renditions'][number] => {
  const { name, type, mime, url, width, height, codecs, bitrate, bytes, duration, language, thumbHash } = rendition;
  return {
    ...{ name, type, mime, url: place(url) },
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(codecs !== undefined && { codecs }),
    ...(bitrate !== undefined && { bitrate }),
    bytes,
    ...(duration !== undefined && { duration }),
    ...(language !== undefined && { language }),
    ...(thumbHash !== undefined && { thumbHash }),
  };
};

function playbackOf(row: AssetRow, published: AssetDocument | undefined, place: Place): Asset['playback'] {
  if (published) {
    const urls = Object.entries(published.playback).filter(([, url]) => url !== undefined);
    return Object.fromEntries(urls.map(([name, url]) => [name, place(url)]));
  }
  // Playlists of what is being encoded follow from its plan.
  if (row.kind === 'image' || !isPlayable(row)) return {};
  const own = (file: string): string => place(`/assets/${row.id}/g${row.begun}/${file}`);
  return { hls: own(MASTER_FILE), dash: own(MANIFEST_FILE) };
}

const historyOf = ({ at, from, to, generation, by, error }: HistoryRow): NonNullable<Asset['history']>[number] => ({
  at: at.toISOString(),
  ...(from && { from }),
  to,
  generation,
  by,
  ...(error && { error }),
});
