/**
 * What people see of a running workflow: the `progress` query, search attributes, the live table in
 * the Web UI, and what they may ask of it (`cancelRendition`, `setPriority`; `setDeadline`: `deadline.ts`).
 */
import {
  ApplicationFailure,
  defineQuery,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

import type { AssetState, Job, MediaKind, Priority } from '../contracts/assets.js';
import type { PublicError } from '../contracts/errors.js';
import { SEARCH_ATTRIBUTES, type QueueNames } from '../contracts/names.js';
import { POSTER, STORYBOARD, type VideoPlan } from '../contracts/plan.js';
import {
  QUERY_PROGRESS,
  UPDATE_CANCEL_RENDITION,
  UPDATE_SET_PRIORITY,
  type ChunkProgress,
  type PartProgress,
  type PartState,
  type Progress,
} from '../contracts/progress.js';
import { Deadline } from './deadline.js';
import { Deliveries } from './deliveries.js';
import type { Setting } from './policies.js';

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const KIND = keyword(SEARCH_ATTRIBUTES.kind);
const STAGE = keyword(SEARCH_ATTRIBUTES.stage);
const FAILURE_CODE = keyword(SEARCH_ATTRIBUTES.failureCode);

const progressQuery = defineQuery<Progress>(QUERY_PROGRESS);
const cancelRenditionUpdate = defineUpdate<void, [string]>(UPDATE_CANCEL_RENDITION);
const setPriorityUpdate = defineUpdate<void, [Priority]>(UPDATE_SET_PRIORITY);

export class Story {
  /** ISO 8601. */
  readonly startedAt = workflowInfo().startTime.toISOString();
  readonly deadline: Deadline;
  readonly deliveries = new Deliveries(this);
  priority: Priority;
  private kind: MediaKind | null = null;
  private state: AssetState = 'processing';
  private stage = 'waiting';
  private error: PublicError | undefined;
  private chunks: { readonly progress: ChunkProgress } | undefined;
  private duration: number | undefined;
  private readonly parts = new Map<string, PartProgress>();
  /** Parts of which one must remain: the pictures of a video, the tracks of a sound. */
  private essential: readonly string[] = [];

  private onPartCancelled: ((name: string) => void) | undefined;

  constructor(
    private readonly begunAs: Job,
    private readonly queues: QueueNames,
  ) {
    this.priority = begunAs.priority;
    this.deadline = new Deadline(begunAs, () => this.tell());
    setHandler(progressQuery, () => this.progress());
    setHandler(
      setPriorityUpdate,
      (priority) => {
        this.priority = priority;
        this.tell();
      },
      {
        validator: (priority: Priority) =>
          check([1, 2, 3, 4, 5].includes(priority), 'A priority is a whole number from 1 to 5.'),
      },
    );
    setHandler(
      cancelRenditionUpdate,
      (name) => {
        this.part(name, 'cancelled');
        this.onPartCancelled?.(name);
      },
      { validator: (name: string) => this.checkCancellable(name) },
    );
  }

  /** As its uploader wants it now. */
  get job(): Job {
    return this.deadline.changes === 0 ? this.begunAs : { ...this.begunAs, ...this.deadline.job };
  }

  /** What every step's policy asks for. */
  get setting(): Setting {
    const { priority = this.priority, standing } = this.deadline;
    return { tenant: this.begunAs.tenant, priority, queues: this.queues, standing };
  }

  /**
   * Its first and only step, which whoever started it may have written down already: to write that again would cost
   * Temporal as much as a short step itself.
   */
  begin(stage: string, kind: MediaKind): void {
    const { typedSearchAttributes: known } = workflowInfo();
    const isKnown = known.get(STAGE) === stage && known.get(KIND) === kind;
    if (isKnown) this.setStage(stage, kind);
    else this.enter(stage, kind);
  }

  /** The workflow enters its next step. */
  enter(stage: string, kind?: MediaKind): void {
    upsertSearchAttributes([{ key: STAGE, value: stage }, ...(kind ? [{ key: KIND, value: kind }] : [])]);
    this.setStage(stage, kind);
  }

  private setStage(stage: string, kind?: MediaKind): void {
    this.stage = stage;
    if (kind) this.kind = kind;
    this.tell();
  }

  /** @param onPartCancelled called when somebody cancels a part that is not done yet. */
  planned(
    plan: VideoPlan,
    chunks: { readonly progress: ChunkProgress },
    onPartCancelled: (name: string) => void,
  ): void {
    this.chunks = chunks;
    this.onPartCancelled = onPartCancelled;
    this.duration = plan.facts.duration;
    this.essential = (plan.rungs.length > 0 ? plan.rungs : plan.audio).map(({ name }) => name);
    for (const { name } of [...plan.rungs, ...plan.audio, ...plan.subtitles]) this.part(name, 'waiting');
    if (plan.stills.posterFrames.length > 0) this.part(POSTER, 'waiting');
    if (plan.stills.storyboard) this.part(STORYBOARD, 'waiting');
  }

  /** Parts that are still to be made. @param onPartCancelled as above */
  expect(parts: readonly { readonly name: string }[], onPartCancelled: (name: string) => void): void {
    this.onPartCancelled = onPartCancelled;
    for (const { name } of parts) this.part(name, 'waiting');
  }

  isDone(name: string): boolean {
    return this.parts.get(name)?.state === 'done';
  }

  /** Names of the parts that are still to come. */
  get unfinished(): string[] {
    return [...this.parts.values()]
      .filter(({ state }) => state === 'waiting' || state === 'running')
      .map(({ name }) => name);
  }

  /** It is published, and more of it is to come. */
  publishedEarly(): void {
    this.state = 'partial';
    this.enter('upgrading');
  }

  playable(): void {
    this.state = 'playable';
    this.tell();
  }

  part(name: string, state: PartState, error?: PublicError): void {
    this.parts.set(name, { name, state, error });
    this.tell();
  }

  /** The last word. */
  end(state: AssetState, error?: PublicError): void {
    this.state = state;
    this.error = error;
    if (error) upsertSearchAttributes([{ key: FAILURE_CODE, value: error.code }]);
    this.enter(state);
  }

  private progress(): Progress {
    return {
      assetId: this.job.assetId,
      kind: this.kind,
      state: this.state,
      stage: this.stage,
      priority: this.setting.priority,
      parts: [...this.parts.values()],
      chunks: this.chunks?.progress,
      duration: this.duration,
      error: this.error,
    };
  }

  private checkCancellable(name: string): void {
    const part = this.parts.get(name);
    check(part !== undefined, `There is no rendition ${name}.`);
    check(part?.state === 'waiting' || part?.state === 'running', `Rendition ${name} is ${part?.state} already.`);
    const isLost = (other: string): boolean => ['cancelled', 'failed'].includes(this.parts.get(other)?.state ?? '');
    const isLast = this.essential.includes(name) && this.essential.every((other) => other === name || isLost(other));
    check(!isLast, 'The last rendition can not be cancelled: cancel the workflow.');
  }

  /** Markdown for the Web UI, which shows it live. */
  tell(): void {
    const lines = [`**${this.stage}** · asset \`${this.job.assetId}\` · priority ${this.setting.priority}`];
    const { publishBy } = this.deadline;
    if (publishBy !== undefined) lines[0] += ` · by ${publishBy}`;
    if (this.error) lines.push('', `\`${this.error.code}\` ${this.error.message}`);
    if (this.state === 'playable') lines[0] += ' · playable';
    if (this.chunks) {
      const { done, total } = this.chunks.progress;
      lines[0] += ` · ${done} of ${total} chunks`;
    }
    if (this.parts.size > 0) {
      lines.push('', '| rendition | state | |', '|---|---|---|');
      for (const { name, state, error } of this.parts.values())
        lines.push(`| ${name} | ${state} | ${error?.message ?? ''} |`);
    }
    setCurrentDetails(lines.join('\n'));
  }
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw ApplicationFailure.nonRetryable(message, 'Rejected');
}
