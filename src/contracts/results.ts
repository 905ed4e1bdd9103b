/** Result events on the topic `media.results`: CloudEvents 1.0, structured JSON, message key = asset id. */
import type { AssetState, MediaKind } from './assets.js';
import type { DeadlineReport } from './deadlines.js';
import type { PublicError } from './errors.js';
import type { ImageFacts } from './image.js';
import type { RenditionDocument } from './assets.js';

export const RESULT_TYPES = {
  state: 'io.mediamill.asset.state',
  rendition: 'io.mediamill.rendition.ready',
  deadline: 'io.mediamill.asset.deadline',
  delivery: 'io.mediamill.asset.delivery',
} as const;

export interface StateChanged {
  readonly assetId: string;
  readonly workflowId: string;
  readonly generation: number;
  readonly tenant: string;
  readonly kind: MediaKind | null;
  readonly state: AssetState;
  readonly error?: PublicError | undefined;
  /** Of a published image. */
  readonly image?: ImageFacts | undefined;
}

export interface RenditionReady {
  readonly assetId: string;
  readonly workflowId: string;
  readonly generation: number;
  readonly tenant: string;
  readonly rendition: RenditionDocument;
}

/** Something is to be said of an asset's deadline: it is at risk, was met or missed. */
export interface DeadlineAnnounced extends DeadlineReport {
  readonly assetId: string;
  readonly workflowId: string;
  readonly generation: number;
  readonly tenant: string;
}

export interface Delivered {
  readonly assetId: string;
  readonly workflowId: string;
  readonly generation: number;
  readonly tenant: string;
  /** As its operator calls it. */
  readonly target: string;
  /** ISO 8601. */
  readonly deliveredAt: string;
}

export interface CloudEvent<T> {
  readonly specversion: '1.0';
  /** Deterministic, so that a repeated step repeats the id and a consumer can drop the copy. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: T;
}
