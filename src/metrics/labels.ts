/** Values of labels. Closed lists: what is in none of them is counted as `other`. */
import { MEASURES } from '../contracts/deadlines.js';
import { ERRORS, type ErrorCode } from '../contracts/errors.js';
import { REFUSALS, type Refusal } from '../contracts/events.js';

export const CODES = Object.keys(ERRORS) as readonly ErrorCode[];
export const REFUSED = Object.keys(REFUSALS) as readonly Refusal[];
/** `unknown`: it failed before anybody looked. */
export const KINDS = ['video', 'audio', 'image', 'unknown'] as const;
export const QUEUES = ['media', 'video', 'video-urgent', 'image', 'publish'] as const;
export const OUTBOX_KINDS = ['upload', 'start', 'delete', 'document', 'webhook'] as const;
export const TARGET_KINDS = ['bucket', 'webhook', 'purge', 'simulated'] as const;
export { MEASURES };

/** What workflows write into the search attribute `MediaStage` while they are open. */
export const STAGES = [
  ...(['waiting', 'inspecting', 'encoding', 'making', 'publishing', 'mending', 'verifying'] as const),
  ...(['upgrading', 'embargoed', 'delivering', 'other'] as const),
] as const;

/** How an asset's work can end. */
export const ENDS = ['ready', 'partial', 'failed', 'cancelled'] as const;

/** Of the media, not of the work: times of a film and of a clip say nothing about each other. */
export const DURATIONS = ['image', 'up-to-30s', 'up-to-2m', 'up-to-10m', 'up-to-1h', 'over-1h', 'unknown'] as const;
export type DurationClass = (typeof DURATIONS)[number];

/** @param seconds of media; absent: not known yet */
export function durationClassOf(seconds: number | undefined): DurationClass {
  if (seconds === undefined || !Number.isFinite(seconds)) return 'unknown';
  if (seconds <= 30) return 'up-to-30s';
  if (seconds <= 120) return 'up-to-2m';
  if (seconds <= 600) return 'up-to-10m';
  return seconds <= 3600 ? 'up-to-1h' : 'over-1h';
}

export const ACTIVITIES = [
  ...(['awaitTwin', 'announcePlayable', 'announceDeadline', 'loadPlan', 'recordEnd', 'discardOutputs'] as const),
  ...(['purgeAsset', 'applyRetention', 'sweepUploads', 'sweepAssets', 'sweepStore'] as const),
  ...(['attemptDelivery', 'giveUpDelivery'] as const),
  ...(['inspectMedia', 'hashSource', 'encodeChunk', 'copyRung', 'encodeAudio', 'previewAudio'] as const),
  ...(['makeSubtitles', 'makeLoop', 'makeImage', 'publishImage', 'makePoster', 'makeStoryboard'] as const),
  ...(['publishMedia', 'deliver', 'reservePublisher', 'releasePublisher'] as const),
  ...(['simulateEncode', 'awaitAsset'] as const),
] as const;

/** Programs that work on media, and the processes that decode images. */
export const TOOLS = ['ffmpeg', 'ffprobe', 'convert', 'libheif', 'pdfinfo', 'pdftoppm', 'images'] as const;

export const GRPC_METHODS = ['UploadVideo', 'GetVideo', 'ListVideos', 'DeleteVideo', 'WatchVideo'] as const;

export const GRPC_CODES = [
  ...(['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'] as const),
  ...(['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'] as const),
  ...(['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'] as const),
] as const;

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** First digit of the status: what alerts ask for. */
export const STATUSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** As routes are written down in the server, parameters and all. */
export const ROUTES = [
  ...(['/healthz', '/readyz', '/openapi.json', '/docs', '/docs/', '/docs/*', '/docs/json', '/docs/yaml'] as const),
  ...(['/docs/static/index.html', '/docs/static/swagger-initializer.js'] as const),
  ...(['/v1/assets', '/v1/assets/:id', '/v1/assets/:id/cancel', '/v1/assets/:id/reprocess'] as const),
  ...(['/v1/assets/:id/legal-hold', '/v1/assets/:id/events', '/v1/assets/:id/playback-token'] as const),
  ...(['/v1/assets/:id/play/*', '/v1/uploads', '/v1/uploads/:id'] as const),
  ...(['/v1/direct-uploads', '/v1/direct-uploads/:id', '/v1/direct-uploads/:id/parts'] as const),
  ...(['/v1/direct-uploads/:id/complete', '/v1/webhooks', '/v1/webhooks/:id'] as const),
  ...(['/v1/webhooks/:id/rotate-secret', '/v1/webhooks/:id/replay', '/v1/webhooks/:id/test'] as const),
  ...(['/v1/webhooks/:id/deliveries', '/v1/webhooks/:id/deliveries/:deliveryId/replay'] as const),
  ...(['/images', '/images/:id', '/images/:id/thumbnail'] as const),
  ...(['/', '/*', '*', '/assets/:id', '/embed/:id'] as const),
  ...(['/page/assets/:id/work', '/page/events', '/page/upload-checks'] as const),
  // Of the codec server.
  ...(['/encode', '/decode'] as const),
] as const;
