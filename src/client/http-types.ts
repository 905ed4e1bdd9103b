/** Answers of the HTTP API. A test holds them against its schemas. */
import type { AssetState, MediaKind } from '../contracts/assets.js';
import type { DeadlineState, Measure } from '../contracts/deadlines.js';
import type { DeliveryState } from '../contracts/targets.js';

export interface ApiError {
  /** Stable. */
  readonly code: string;
  /** For people. */
  readonly message: string;
}

export interface AssetRendition {
  readonly name: string;
  readonly type: string;
  readonly mime: string;
  readonly url: string;
  /** Pixels. */
  readonly width?: number;
  readonly height?: number;
  /** RFC 6381. */
  readonly codecs?: string;
  /** Bits per second. */
  readonly bitrate?: number;
  readonly bytes: number;
  /** Seconds. */
  readonly duration?: number;
  readonly language?: string;
  /** Of a poster, base64. */
  readonly thumbHash?: string;
}

export interface AssetImage {
  /** Pixels, as displayed. */
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly frames: number;
  readonly hasAlpha: boolean;
  readonly thumbHash: string;
  readonly blurHash: string;
  readonly dominantColour: string;
  readonly palette: readonly string[];
  readonly perceptualHash: string;
  readonly sha256: string;
  /** HTML to paste. */
  readonly picture: string;
}

export interface AssetProgress {
  /** 0-100. */
  readonly percent: number;
  readonly stage: string;
  /** Media seconds per wall second. */
  readonly speed?: number;
  /** Seconds. */
  readonly timeLeft?: number;
  readonly parts: readonly { readonly name: string; readonly state: string; readonly error?: ApiError }[];
  readonly retrying?: { readonly step: string; readonly attempt: number; readonly reason: string };
}

export interface AssetTransition {
  /** ISO 8601. */
  readonly at: string;
  readonly from?: AssetState;
  readonly to: AssetState;
  readonly generation: number;
  readonly by: string;
  readonly error?: ApiError;
}

export interface AssetDeadline {
  /** ISO 8601. When it is needed; of a timeout, known when encoding has started. */
  readonly publishBy?: string;
  /** Seconds from the start of encoding. */
  readonly publicationTimeout?: number;
  /** ISO 8601. Nobody sees anything of it before. */
  readonly notBefore?: string;
  readonly state?: DeadlineState;
  /** ISO 8601. When it will be published as far as one knows; of `met` and `missed`, when it was. */
  readonly projectedAt?: string;
  /** Negative: late. */
  readonly slackSeconds?: number;
  readonly measures: readonly Measure[];
}

export interface Asset {
  readonly id: string;
  readonly kind?: MediaKind;
  readonly state: AssetState;
  readonly title?: string;
  readonly fileName?: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly profile: string;
  readonly priority: number;
  /** Of the upload. */
  readonly bytes?: number;
  /** Seconds. */
  readonly duration?: number;
  readonly contentType?: string;
  readonly sha256?: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly playable: boolean;
  readonly generation: number;
  readonly legalHold: boolean;
  readonly deadline?: AssetDeadline;
  readonly error?: ApiError;
  readonly renditions: readonly AssetRendition[];
  readonly missing?: readonly { readonly name: string; readonly error: ApiError }[];
  readonly playback: {
    readonly hls?: string;
    readonly dash?: string;
    readonly poster?: string;
    readonly storyboard?: string;
  };
  readonly image?: AssetImage;
  readonly deliveries?: readonly AssetDelivery[];
  readonly progress?: AssetProgress;
  readonly history?: readonly AssetTransition[];
}

/** What is published goes to targets, too. */
export interface AssetDelivery {
  readonly target: string;
  /** A deadline is met only when it has answered. */
  readonly required: boolean;
  readonly state: DeliveryState;
  /** Attempts in vain. */
  readonly failures: number;
  /** Of the last one. */
  readonly error?: string;
  /** ISO 8601. */
  readonly deliveredAt?: string;
}

export interface AssetPage {
  readonly items: readonly Asset[];
  /** Cursor of the next page. */
  readonly next?: string;
}

/** What is absent stays as it is. */
export interface AssetChange {
  readonly title?: string | null;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly priority?: number;
  /** ISO 8601; null: at no time. */
  readonly publishBy?: string | null;
  readonly publishNotBefore?: string | null;
}

/** Of `follow`. */
export type AssetEvent =
  | { readonly type: 'asset'; readonly asset: Asset }
  | { readonly type: 'progress'; readonly state: AssetState; readonly progress?: AssetProgress };
