/** Object keys of a video or audio asset below its generation's prefix. */
import { outputPrefix, type Job } from '../../contracts/assets.js';

type Generation = Pick<Job, 'assetId' | 'generation'>;

export type StreamType = 'video' | 'audio';

/** Everything of one rung or track: `init.mp4`, `seg-00000.m4s`, ..., `index.m3u8`. */
export const streamUri = (type: StreamType, name: string): string => `${type}/${name}/`;
export const streamPrefix = (job: Generation, type: StreamType, name: string): string =>
  prefix(job) + streamUri(type, name);

export const PLAYLIST_FILE = 'index.m3u8';
export const masterKey = (job: Generation): string => `${prefix(job)}master.m3u8`;

/** Between steps only; removed when the asset is published. */
export const workPrefix = (job: Generation): string => `${prefix(job)}work/`;
export const posterSourceKey = (job: Generation): string => `${workPrefix(job)}poster-source.png`;

const prefix = (job: Generation): string => outputPrefix(job.assetId, job.generation);

export const MIME = {
  playlist: 'application/vnd.apple.mpegurl',
  video: 'video/mp4',
  audio: 'audio/mp4',
} as const;
