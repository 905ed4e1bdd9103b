/** What leaves the database for another system: one payload for each kind of row in the outbox. */
import type { Job } from './assets.js';
import type { UploadEvent } from './events.js';
import type { WorkflowType } from './names.js';

export interface OutboxPayloads {
  /** An upload through the API has ended: its event for the uploads topic. */
  readonly upload: { readonly assetId: string; readonly event: UploadEvent };
  /** A workflow to start, under `job.workflowId`. */
  readonly start: {
    readonly job: Job;
    /** Absent: guessed from content type and file name. */
    readonly workflowType?: WorkflowType | undefined;
    readonly contentType?: string | undefined;
    readonly fileName?: string | undefined;
  };
  /** A deleted asset whose objects are to be removed. */
  readonly delete: { readonly assetId: string; readonly tenant: string };
  /** What is said of an asset has changed: its `asset.json` is to say so too. */
  readonly document: { readonly assetId: string };
  readonly webhook: { readonly deliveryId: string; readonly tenant: string };
}

export type OutboxKind = keyof OutboxPayloads;
