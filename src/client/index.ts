/**
 * `mediamill/client`: what other services need of Mediamill. Over Temporal, for services that share its cluster and
 * its store; over HTTP, for all others.
 */
export type { Client } from '@temporalio/client';
export { connectTemporal, type OpenClient, type TemporalAddress } from './connection.js';
export { EncryptionCodec, dataConverterOf, parseEncryptionKeys, type EncryptionKey } from './encryption.js';
export {
  cancel,
  cancelRendition,
  progress,
  result,
  setDeadline,
  setPriority,
  startImage,
  startVideo,
  type StartedJob,
  type StartOptions,
  type Upload,
} from './jobs.js';
export type { LiveProgress } from './progress.js';
export { HttpError, MediamillHttp, type HttpOptions, type ListOptions, type UploadOptions } from './http.js';
export type { Asset, AssetChange, AssetDeadline, AssetEvent, AssetPage, AssetProgress } from './http-types.js';
export type { AssetState, MediaKind, Priority } from '../contracts/assets.js';
export type { DeadlineReport, DeadlineState, Measure } from '../contracts/deadlines.js';
export { MediaError, type ErrorCode, type PublicError } from '../contracts/errors.js';
export type { QueueNames } from '../contracts/names.js';
export type { ProcessSummary } from '../contracts/summary.js';
export type { AssetEventData, WebhookEvent } from '../contracts/webhooks.js';
