/** Object keys of a video or audio asset below its generation's prefix. */
import { outputPrefix, type Job } from '../../contracts/assets.js';

export type Generation = Pick<Job, 'assetId' | 'generation'>;

export type StreamType = 'video' | 'audio';

export const INIT_FILE = 'init.mp4';
export const PLAYLIST_FILE = 'index.m3u8';
export const IFRAMES_FILE = 'iframes.m3u8';

/** Everything of one rung or track: `init.mp4`, `seg-00000.m4s`, ..., `index.m3u8`. */
export const streamUri = (type: StreamType, name: string): string => `${type}/${name}/`;
export const streamPrefix = (job: Generation, type: StreamType, name: string): string =>
  prefix(job) + streamUri(type, name);

/** No other file of a rung or track ends so. */
export const SEGMENT_ENDING = '.m4s';
/** File names within the scratch folder, object names within a rendition's folder. */
export const segmentName = (segment: number): string => `seg-${String(segment).padStart(5, '0')}${SEGMENT_ENDING}`;
export const segmentOf = (name: string): number | undefined => {
  const digits = /^seg-(\d{5,})\.m4s$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

export const MASTER_FILE = 'master.m3u8';
export const MANIFEST_FILE = 'manifest.mpd';
export const masterKey = (job: Generation): string => prefix(job) + MASTER_FILE;
export const manifestKey = (job: Generation): string => prefix(job) + MANIFEST_FILE;
/** `{ job, plan }` as JSON, without the uploader's metadata: there from inspection on, and for ever. */
export const PLAN_FILE = 'plan.json';
export const planKey = (job: Generation): string => prefix(job) + PLAN_FILE;
/** `{ startedAt, made }` as JSON, there once published: what a repair starts from. */
export const MADE_FILE = 'made.json';
export const madeKey = (job: Generation): string => prefix(job) + MADE_FILE;

/** `subs.vtt` (whole), `seg-00000.vtt`, ..., `index.m3u8`. */
export const subtitleUri = (name: string): string => `subs/${name}/`;
export const subtitlePrefix = (job: Generation, name: string): string => prefix(job) + subtitleUri(name);
export const SUBTITLE_FILE = 'subs.vtt';

/** `storyboard.vtt`, `sheet-000.jpg`, ... */
export const STORYBOARD_URI = 'storyboard/';
export const storyboardPrefix = (job: Generation): string => prefix(job) + STORYBOARD_URI;
export const STORYBOARD_FILE = 'storyboard.vtt';

/** Between steps only; removed when the asset is published. */
export const workPrefix = (job: Generation): string => `${prefix(job)}work/`;
const number = (value: number): string => String(value).padStart(8, '0');
export const posterFramesPrefix = (job: Generation): string => `${workPrefix(job)}poster/`;
export const posterFrameKey = (job: Generation, frame: number): string =>
  `${posterFramesPrefix(job)}${number(frame)}.jpg`;
export const tilesPrefix = (job: Generation): string => `${workPrefix(job)}tiles/`;
export const tileKey = (job: Generation, tile: number): string => `${tilesPrefix(job)}${number(tile)}.jpg`;
/** Segments of a track as it is, to be heard until the real ones are there. */
export const previewPrefix = (job: Generation, name: string): string => `${workPrefix(job)}audio/${name}/`;

const prefix = (job: Generation): string => outputPrefix(job.assetId, job.generation);

export const MIME = {
  playlist: 'application/vnd.apple.mpegurl',
  manifest: 'application/dash+xml',
  video: 'video/mp4',
  audio: 'audio/mp4',
  subtitles: 'text/vtt',
} as const;
