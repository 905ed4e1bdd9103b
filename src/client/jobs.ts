/** Work on media, asked of Temporal: start it, follow it, wait for it, change its course. */
import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  WorkflowFailedError,
  type Client,
} from '@temporalio/client';

import type { Job, MediaKind, Priority } from '../contracts/assets.js';
import { problemOfWishes, type DeadlineChange } from '../contracts/deadlines.js';
import { ERRORS, isErrorCode, MediaError } from '../contracts/errors.js';
import { assetIdOf, workflowIdOf, type ObjectIdentity } from '../contracts/ids.js';
import { DEFAULT_QUEUES, type QueueNames } from '../contracts/names.js';
import { UPDATE_CANCEL_RENDITION, UPDATE_SET_DEADLINE, UPDATE_SET_PRIORITY } from '../contracts/progress.js';
import type { ProcessSummary } from '../contracts/summary.js';
import { liveProgress, type LiveProgress } from './progress.js';
import { planStart, startWorkflow } from './start.js';

/** An object that is in the store already: what its PUT answered with. */
export interface Upload extends ObjectIdentity {
  /** Bytes. */
  readonly size?: number | undefined;
}

export interface StartOptions {
  /** Default: `default`. */
  readonly tenant?: string | undefined;
  /** Default: `default`. */
  readonly profile?: string | undefined;
  /** 1 is the most urgent, 5 the least. Default: 3. */
  readonly priority?: Priority | undefined;
  /** When it is needed. */
  readonly publishBy?: Date | undefined;
  /** Seconds from the start of encoding within which it is needed. With `publishBy`: what is first. */
  readonly publicationTimeout?: number | undefined;
  /** An embargo: nobody sees anything of it before. */
  readonly publishNotBefore?: Date | undefined;
  /** Facts of your own, at most 4 KB together. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Where the workers listen, when it is not on the default queues. */
  readonly queues?: QueueNames | undefined;
}

export interface StartedJob {
  readonly assetId: string;
  /** What the functions below ask for. */
  readonly workflowId: string;
}

/**
 * Video or sound. The same object is processed once: starting it again resolves to the same job, be it done or not.
 * When the bytes turn out to be an image they are processed as one.
 */
export const startVideo = (client: Client, upload: Upload, options?: StartOptions): Promise<StartedJob> =>
  start(client, 'video', upload, options);

/** Like `startVideo`, for a picture. */
export const startImage = (client: Client, upload: Upload, options?: StartOptions): Promise<StartedJob> =>
  start(client, 'image', upload, options);

async function start(
  client: Client,
  kind: MediaKind,
  upload: Upload,
  { queues = DEFAULT_QUEUES, publishBy, publicationTimeout, publishNotBefore, ...options }: StartOptions = {},
): Promise<StartedJob> {
  const { bucket, key, versionId, etag, size } = upload;
  const wishes = {
    publishBy: publishBy?.toISOString(),
    publicationTimeout,
    publishNotBefore: publishNotBefore?.toISOString(),
  };
  const problem = problemOfWishes(wishes);
  if (problem !== undefined) throw new RangeError(problem);
  const job: Job = {
    assetId: assetIdOf(upload),
    workflowId: workflowIdOf(upload),
    generation: 1,
    source: { bucket, key, versionId, etag: etag?.replaceAll('"', ''), size },
    tenant: options.tenant ?? 'default',
    profile: options.profile ?? 'default',
    priority: options.priority ?? 3,
    uploadedAt: new Date().toISOString(),
    ...wishes,
    metadata: options.metadata,
  };
  await startWorkflow(client, planStart(job, undefined, queues, kind));
  return { assetId: job.assetId, workflowId: job.workflowId };
}

/** How far it is, also after it has ended, while Temporal remembers it. A worker must be there to answer. */
export const progress = (client: Client, workflowId: string): Promise<LiveProgress> =>
  liveProgress(client.workflow.getHandle(workflowId));

/**
 * Waits for its end.
 *
 * @throws MediaError why nothing came of it: CANCELLED, DAMAGED_FILE ...
 */
export async function result(client: Client, workflowId: string): Promise<ProcessSummary> {
  try {
    return (await client.workflow.getHandle(workflowId).result()) as ProcessSummary;
  } catch (error) {
    throw error instanceof WorkflowFailedError ? mediaErrorOf(error) : error;
  }
}

function mediaErrorOf(failed: WorkflowFailedError): MediaError {
  const { cause } = failed;
  if (cause instanceof CancelledFailure || cause instanceof TerminatedFailure)
    return new MediaError('CANCELLED', undefined, { cause: failed });
  if (!(cause instanceof ApplicationFailure) || !isErrorCode(cause.type))
    return new MediaError('INTERNAL', undefined, { cause: failed });
  const { sentence } = ERRORS[cause.type];
  const detail = cause.message.startsWith(sentence) ? cause.message.slice(sentence.length).trim() : cause.message;
  return new MediaError(cause.type, detail, { cause: failed });
}

/** Asks it to stop; what it made so far is removed. `result` says when it has. Nothing happens to one that has ended. */
export async function cancel(client: Client, workflowId: string): Promise<void> {
  await client.workflow.getHandle(workflowId).cancel();
}

/** Goes on without one rendition. */
export const cancelRendition = (client: Client, workflowId: string, name: string): Promise<void> =>
  client.workflow.getHandle(workflowId).executeUpdate<void, [string]>(UPDATE_CANCEL_RENDITION, { args: [name] });

/** Moves what is not published yet; null: none any more. */
export const setDeadline = (
  client: Client,
  workflowId: string,
  { publishBy, publishNotBefore }: { readonly publishBy?: Date | null; readonly publishNotBefore?: Date | null },
): Promise<void> =>
  client.workflow.getHandle(workflowId).executeUpdate<void, [DeadlineChange]>(UPDATE_SET_DEADLINE, {
    args: [
      {
        publishBy: publishBy && publishBy.toISOString(),
        publishNotBefore: publishNotBefore && publishNotBefore.toISOString(),
      },
    ],
  });

/** Of every step that is still to begin. */
export const setPriority = (client: Client, workflowId: string, priority: Priority): Promise<void> =>
  client.workflow.getHandle(workflowId).executeUpdate<void, [Priority]>(UPDATE_SET_PRIORITY, { args: [priority] });
