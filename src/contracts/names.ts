/** Names that several processes must agree on, with their defaults (all but the type names are configurable). */

/** Work on media: how many of these are open is the length of the queue. */
export const WORKFLOW_TYPES = { video: 'processVideo', image: 'processImage', repair: 'repairVideo' } as const;
export type WorkflowType = (typeof WORKFLOW_TYPES)[keyof typeof WORKFLOW_TYPES];

/** Beside the work on media: such a workflow may wait for days, and fills no queue. */
export const SERVICE_WORKFLOW_TYPES = {
  webhook: 'deliverWebhook',
  delete: 'deleteAsset',
  housekeeping: 'housekeeping',
} as const;

export interface QueueNames {
  /** Workflows and light steps. */
  readonly media: string;
  /** Inspect, encode. */
  readonly video: string;
  /** First segments and seeks: never behind a bulk encode. */
  readonly videoUrgent: string;
  /** One activity per image. */
  readonly image: string;
  /** The last step of every asset, and what it is delivered to. */
  readonly publish: string;
}

export const DEFAULT_QUEUES: QueueNames = {
  media: 'media',
  video: 'video',
  videoUrgent: 'video-urgent',
  image: 'image',
  publish: 'publish',
};

/** Typed search attributes, all Keyword. Never encrypted: no names, no URLs. */
export const SEARCH_ATTRIBUTES = {
  kind: 'MediaKind',
  stage: 'MediaStage',
  tenant: 'Tenant',
  failureCode: 'FailureCode',
} as const;

/** The only stage of an image that is under way: whoever starts its workflow may say so. */
export const IMAGE_STAGE = 'making';
