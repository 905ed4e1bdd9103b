/** Events to URLs that tenants name, by the Standard Webhooks specification: what is sent, and when it is tried again. */
import { ASSET_STATES, type AssetState, type MediaKind } from './assets.js';
import type { DeadlineReport } from './deadlines.js';
import type { PublicError } from './errors.js';

/** An asset enters a state, or something is to be said of its deadline. */
export type WebhookEventType = `asset.${AssetState}` | `deadline.${'at-risk' | 'met' | 'missed'}`;

/** What an endpoint may ask for. */
export const WEBHOOK_EVENT_TYPES: readonly WebhookEventType[] = [
  ...ASSET_STATES.map((state) => `asset.${state}` as const),
  ...(['deadline.at-risk', 'deadline.met', 'deadline.missed'] as const),
];

/** Sent when its owner asks for it, to try an endpoint. */
export const TEST_EVENT_TYPE = 'webhook.test';

/** The body of a delivery. */
export interface WebhookEvent {
  readonly type: WebhookEventType | typeof TEST_EVENT_TYPE;
  /** ISO 8601. When it happened, not when it is sent. */
  readonly timestamp: string;
  readonly data: AssetEventData | Record<string, never>;
}

/** What is needed to know which asset it is; all else is asked of the API. */
export interface AssetEventData {
  readonly assetId: string;
  readonly tenant: string;
  readonly generation: number;
  readonly kind: MediaKind | null;
  readonly state: AssetState;
  readonly error?: PublicError | undefined;
  /** Of `deadline.*`. */
  readonly deadline?: DeadlineReport | undefined;
  /** The uploader's, as they were then. */
  readonly title: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface DeliveryRequest {
  readonly deliveryId: string;
  readonly tenant: string;
  /** It is tried again for so long. Seconds. */
  readonly retrySeconds: number;
}

/**
 * What came of one attempt. `over`: nobody is there to be told any more (the endpoint was removed or
 * disabled, or its receiver answered 410).
 */
export type DeliveryOutcome =
  | { readonly outcome: 'delivered' | 'over' }
  | {
      readonly outcome: 'refused';
      /** Seconds that the receiver asks for. */
      readonly retryAfter?: number | undefined;
    };

/** Result of the workflow `deliverWebhook`. */
export interface DeliverySummary {
  readonly outcome: 'delivered' | 'over' | 'failed';
  readonly attempts: number;
}

/** Task queue `media`. */
export interface WebhookActivities {
  /** One signed request. Its result is written down with the delivery. */
  attemptDelivery(deliveryId: string): Promise<DeliveryOutcome>;
  /** The last word on a delivery that was tried for long enough. */
  giveUpDelivery(deliveryId: string): Promise<void>;
}

/** Seconds. A restart of the receiver, a short outage, a night, a week-end; the last one repeats. */
const WAITS = [5, 30, 300, 1800, 7200, 18_000, 36_000, 43_200] as const;
const LONGEST_WAIT = 86_400;

/**
 * Seconds between an attempt that failed and the next.
 *
 * @param attempt the one that failed, from 1
 * @param random 0-1: spreads deliveries that failed together, by up to a tenth
 */
export function waitAfter(attempt: number, retryAfter: number | undefined, random: number): number {
  const planned = (WAITS[attempt - 1] ?? WAITS[WAITS.length - 1]!) * (1 + random / 10);
  return Math.min(LONGEST_WAIT, Math.max(planned, retryAfter ?? 0));
}
