/** Makes every part of a plan side by side: chunks of all rungs, audio tracks, the poster. */
import { ActivityFailure, CancellationScope, isCancellation, proxyActivities } from '@temporalio/workflow';

import type { ImageActivities, MissingPart, VideoActivities } from '../contracts/activities.js';
import { ERRORS } from '../contracts/errors.js';
import type { QueueNames } from '../contracts/names.js';
import type { AudioTrack, Chunk, ChunkResult, EncodedRendition, VideoPlan, VideoRung } from '../contracts/plan.js';
import type { Rendition } from '../contracts/renditions.js';
import { publicErrorOf } from './ending.js';
import { policies } from './policies.js';
import type { Story } from './story.js';
import { inLanes, together } from './together.js';

export const POSTER = 'poster';

/** Chunks of one video in flight: enough to keep a fleet busy, few enough to keep the history of a long video small at any moment. */
const CHUNK_LANES = 16;

export interface Made {
  readonly chunks: readonly ChunkResult[];
  readonly audio: readonly EncodedRendition[];
  readonly posters: readonly Rendition[];
  readonly missing: readonly MissingPart[];
}

export class MediaMaker {
  /** Parts that somebody cancelled. */
  private readonly withdrawn = new Set<string>();
  /** What runs now, and the parts that it makes. */
  private readonly running = new Map<CancellationScope, readonly string[]>();
  private readonly missing: MissingPart[] = [];
  private readonly posters: Rendition[] = [];

  constructor(private readonly queues: QueueNames) {}

  /** Takes a part out of the plan. An encode that makes it now starts again without it, from its last finished segment. */
  withdraw(name: string): void {
    this.withdrawn.add(name);
    this.missing.push({ name, error: { code: 'CANCELLED', message: ERRORS.CANCELLED.sentence } });
    for (const [scope, names] of this.running) if (names.includes(name)) scope.cancel();
  }

  async make(plan: VideoPlan, story: Story): Promise<Made> {
    story.planned(plan);
    const [chunks, audio] = await together([
      () => inLanes(CHUNK_LANES, plan.chunks, (chunk) => this.chunk(plan, chunk, story)),
      () => together(plan.audio.map((track) => () => this.audioTrack(plan, track, story))),
    ] as const);
    for (const { name } of plan.rungs) if (!this.withdrawn.has(name)) story.part(name, 'done');
    return {
      chunks,
      audio: audio.filter((track) => track !== undefined),
      posters: this.posters,
      missing: this.missing,
    };
  }

  private async chunk(plan: VideoPlan, chunk: Chunk, story: Story): Promise<ChunkResult> {
    const seconds =
      (chunk.segments * (plan.grid?.segmentFrames ?? 0) * (plan.grid?.fps.den ?? 0)) / (plan.grid?.fps.num ?? 1);
    const result = await this.withdrawable<ChunkResult>(() => {
      const rungs = plan.rungs.filter(({ name }) => !this.withdrawn.has(name));
      for (const { name } of rungs) story.part(name, 'running');
      const summary = `chunk ${chunk.index}: ${rungs.map(({ name }) => name).join(' ')}`;
      const { encodeChunk } = proxyActivities<VideoActivities>(
        policies.encode(story.job, story.priority, this.queues, seconds, summary),
      );
      return [rungs.map(nameOf), () => encodeChunk(story.job, plan, chunk, rungs)];
    });
    story.chunkDone();
    if (result.posterKey) await this.poster(result.posterKey, story);
    return result;
  }

  /** A track that can't be made is a missing part, not the end, as long as there is something else to play. */
  private async audioTrack(plan: VideoPlan, track: AudioTrack, story: Story): Promise<EncodedRendition | undefined> {
    try {
      const result = await this.withdrawable<EncodedRendition | undefined>(() => {
        if (this.withdrawn.has(track.name)) return [[], () => Promise.resolve(undefined)];
        story.part(track.name, 'running');
        const policy = policies.encode(story.job, story.priority, this.queues, plan.facts.duration, track.name);
        const { encodeAudio } = proxyActivities<VideoActivities>(policy);
        return [[track.name], () => encodeAudio(story.job, plan, track)];
      });
      // Cancelled in the moment that it was finished.
      if (!result || this.withdrawn.has(track.name)) return undefined;
      story.part(track.name, 'done');
      return result;
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (this.withdrawn.has(track.name)) return undefined;
      const isLast = plan.audio.every(
        ({ name }) => name === track.name || this.missing.some((part) => part.name === name),
      );
      if (plan.rungs.length === 0 && isLast) throw error;
      this.lose(track.name, error, story);
      return undefined;
    }
  }

  private async poster(posterKey: string, story: Story): Promise<void> {
    const { makePoster } = proxyActivities<ImageActivities>(
      policies.image(story.job, story.priority, this.queues, POSTER),
    );
    try {
      this.posters.push(...(await makePoster(story.job, posterKey)));
      story.part(POSTER, 'done');
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.lose(POSTER, error, story);
    }
  }

  private lose(name: string, error: unknown, story: Story): void {
    const reason = publicErrorOf(error);
    this.missing.push({ name, error: reason });
    story.part(name, 'failed', reason);
  }

  /**
   * Runs what `prepare` hands out; when one of its parts is withdrawn meanwhile, stops it, waits
   * until it has stopped, and prepares again.
   */
  private async withdrawable<T>(prepare: () => [parts: readonly string[], run: () => Promise<T>]): Promise<T> {
    for (;;) {
      const [parts, run] = prepare();
      const scope = new CancellationScope();
      this.running.set(scope, parts);
      try {
        return await scope.run(run);
      } catch (error) {
        const ours = parts.some((name) => this.withdrawn.has(name)) && !CancellationScope.current().consideredCancelled;
        if (!ours || !wasStopped(error)) throw error;
      } finally {
        this.running.delete(scope);
      }
    }
  }
}

/** Cancelled, or failed in another way (a drain, a dead worker) that would have been tried again had it not been cancelled. */
function wasStopped(error: unknown): boolean {
  return isCancellation(error) || (error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED');
}

const nameOf = ({ name }: VideoRung): string => name;
