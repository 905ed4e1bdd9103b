/** From a job to a running workflow. */
import { WorkflowExecutionAlreadyStartedError, type Client, type WorkflowStartOptions } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';

import type { Job, MediaKind } from '../contracts/assets.js';
import {
  IMAGE_STAGE,
  SEARCH_ATTRIBUTES,
  WORKFLOW_TYPES,
  type QueueNames,
  type WorkflowType,
} from '../contracts/names.js';

export interface PlannedStart {
  readonly workflowType: WorkflowType;
  readonly options: WorkflowStartOptions;
}

/**
 * One request to Temporal, all its retries included. Milliseconds. Well under the consumer's session
 * timeout (at least 6 s), so that a batch that lost its partition ends before others work on it.
 */
const START_DEADLINE = 4_000;

const IMAGE_EXTENSIONS = new Set(
  'jpg jpeg jpe jfif png gif webp avif heic heif jxl tif tiff bmp ico cur svg svgz pdf psd eps ai dng cr2 cr3 nef arw orf rw2 raf pef srw jp2 jpf jpx j2k j2c apng psb tga pcx ppm pgm pbm pnm hdr exr xcf qoi'.split(
    ' ',
  ),
);
const AUDIO_EXTENSIONS = new Set('mp3 m4a m4b aac flac wav oga ogg opus wma aif aiff amr ac3 mka'.split(' '));
const IMAGE_APPLICATIONS = new Set([
  'application/pdf',
  'application/postscript',
  'application/photoshop',
  'application/x-photoshop',
  'application/vnd.adobe.photoshop',
]);

/** A guess from names, corrected by the workflow when the bytes say otherwise. */
export function guessKind(contentType: string | undefined, key: string): MediaKind {
  const [mime = ''] = (contentType ?? '').toLowerCase().split(';', 1);
  const type = mime.trim();
  if (type.startsWith('image/') || IMAGE_APPLICATIONS.has(type)) return 'image';
  if (type.startsWith('audio/')) return 'audio';
  if (type.startsWith('video/')) return 'video';
  const extension = /\.([^./]+)$/.exec(key)?.[1]?.toLowerCase() ?? '';
  if (IMAGE_EXTENSIONS.has(extension)) return 'image';
  return AUDIO_EXTENSIONS.has(extension) ? 'audio' : 'video';
}

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const KIND = keyword(SEARCH_ATTRIBUTES.kind);
const STAGE = keyword(SEARCH_ATTRIBUTES.stage);
const TENANT = keyword(SEARCH_ATTRIBUTES.tenant);

/**
 * @param kind where it is known; else it is guessed
 * @param name for people; what the uploader calls it, where the key does not say
 */
export function planStart(
  job: Job,
  contentType: string | undefined,
  queues: QueueNames,
  kind: MediaKind = guessKind(contentType, job.source.key),
  name = job.source.key,
): PlannedStart {
  const attributes: SearchAttributePair[] = [
    { key: KIND, value: kind },
    // An image has one stage: its workflow need not say so again.
    { key: STAGE, value: kind === 'image' ? IMAGE_STAGE : 'waiting' },
    { key: TENANT, value: job.tenant },
  ];
  return {
    workflowType: kind === 'image' ? WORKFLOW_TYPES.image : WORKFLOW_TYPES.video,
    options: {
      workflowId: job.workflowId,
      taskQueue: queues.media,
      args: [job, queues],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: attributes,
      staticSummary: `${kind} · ${shortName(name)}`,
      priority: { priorityKey: job.priority, fairnessKey: job.tenant },
    },
  };
}

/** Resolves when Temporal has the workflow, whether by this call or an earlier one. */
export async function startWorkflow(client: Client, plan: PlannedStart): Promise<void> {
  try {
    await client.withDeadline(Date.now() + START_DEADLINE, () =>
      client.workflow.start(plan.workflowType, plan.options),
    );
  } catch (error) {
    // It ran and is closed: a redelivery of an event that has been dealt with.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** The file's name for people, at most 60 characters, its extension kept. */
function shortName(key: string): string {
  const name = [...(key.split('/').at(-1) ?? key).replace(/[\x00-\x1f\x7f]/g, ' ')];
  return name.length <= 60 ? name.join('') : `${name.slice(0, 47).join('')}…${name.slice(-12).join('')}`;
}
