/** The steps of one video, each with its policy and the line that the Web UI shows for it. */
import { proxyActivities } from '@temporalio/workflow';

import type {
  CopyResult,
  ImageActivities,
  Made,
  MediaActivities,
  PublishActivities,
  PublishOutcome,
  PublishRequest,
  VideoActivities,
} from '../contracts/activities.js';
import {
  AUDIO_SEGMENT_SECONDS,
  POSTER,
  secondsOf,
  STORYBOARD,
  type AudioTrack,
  type Chunk,
  type ChunkResult,
  type EncodedAudio,
  type VideoPlan,
  type VideoRung,
} from '../contracts/plan.js';
import type { Rendition } from '../contracts/renditions.js';
import { policies, spare, urgencyOf, urgencyOfTexts, type Urgency } from './policies.js';
import type { Story } from './story.js';

interface EncodeOptions {
  readonly urgency?: 'wanted' | 'first';
  readonly isHasty?: boolean;
  readonly isDivisible?: boolean;
  /** It need not be there in time. */
  readonly isSpare?: boolean;
}

export class Steps {
  constructor(
    private readonly story: Story,
    private current: VideoPlan,
  ) {}

  get plan(): VideoPlan {
    return this.current;
  }

  /** A copy that did not fit is encoded instead. */
  replace(rung: VideoRung): void {
    const rungs = this.current.rungs.map((other) => (other.name === rung.name ? rung : other));
    this.current = { ...this.current, rungs };
  }

  /** @param urgency where a viewer waits; by default the chunk's place in the video decides. */
  encodeChunk(
    chunk: Chunk,
    rungs: readonly string[],
    stills: boolean,
    { urgency, isHasty = false, isDivisible = false, isSpare = false }: EncodeOptions = {},
  ): Promise<ChunkResult> {
    const { job } = this.story;
    const setting = isSpare ? spare(this.story.setting) : this.story.setting;
    const from = this.secondsAt(chunk.firstSegment);
    const to = this.secondsAt(chunk.firstSegment + chunk.segments);
    const summary = `${urgency === 'wanted' ? 'wanted: ' : ''}${runOf(chunk)}: ${rungs.join(' ') || 'pictures'}`;
    const policy = policies.encode(setting, urgency ?? urgencyOf(from, this.plan.facts.duration), to - from, summary);
    const { encodeChunk } = proxyActivities<VideoActivities>(policy);
    const viewerWaits = urgency !== undefined;
    return encodeChunk({
      ...{ job, plan: this.plan, chunk, rungs, stills, viewerWaits },
      ...(isHasty && { isHasty }),
      ...(isDivisible && { isDivisible }),
    });
  }

  copyRung(rung: string): Promise<CopyResult> {
    return this.whole(`copy ${rung}`).copyRung(this.story.job, this.plan, rung);
  }

  encodeAudio(track: AudioTrack): Promise<EncodedAudio> {
    return this.whole(track.name).encodeAudio(this.story.job, this.plan, track);
  }

  previewAudio(track: AudioTrack, chunk: Chunk, urgency: Urgency): Promise<void> {
    const summary = `${urgency === 'wanted' ? 'wanted: ' : ''}preview ${runOf(chunk)}: ${track.name}`;
    const seconds = chunk.segments * AUDIO_SEGMENT_SECONDS;
    const { previewAudio } = proxyActivities<VideoActivities>(
      policies.encode(this.story.setting, urgency, seconds, summary),
    );
    return previewAudio(this.story.job, this.plan, track, chunk);
  }

  makeSubtitles(): Promise<string[]> {
    const { duration } = this.plan.facts;
    const policy = policies.encode(this.story.setting, urgencyOfTexts(duration), duration, 'subtitles');
    return proxyActivities<VideoActivities>(policy).makeSubtitles(this.story.job, this.plan);
  }

  makePoster(): Promise<Rendition[]> {
    const { makePoster } = proxyActivities<ImageActivities>(policies.image(this.story.setting, POSTER));
    return makePoster(this.story.job, this.plan);
  }

  makeStoryboard(): Promise<Rendition[]> {
    const { makeStoryboard } = proxyActivities<ImageActivities>(policies.image(this.story.setting, STORYBOARD));
    return makeStoryboard(this.story.job, this.plan);
  }

  announcePlayable(): Promise<void> {
    const { announcePlayable } = proxyActivities<MediaActivities>(policies.light(this.story.setting, 'playable'));
    return announcePlayable(this.story.job, this.plan.kind);
  }

  async publish(
    startedAt: string,
    made: Made,
    how: Pick<PublishRequest, 'lastTry' | 'repair' | 'mends'>,
  ): Promise<PublishOutcome> {
    const { publishMedia } = proxyActivities<PublishActivities>(policies.publish(this.story.setting));
    const outcome = await publishMedia({ job: this.story.job, plan: this.plan, startedAt, made, ...how });
    if (outcome.outcome === 'published') this.story.deliveries.begin(outcome.targets);
    return outcome;
  }

  /** For what is made of the whole source in one go. */
  private whole(summary: string): VideoActivities {
    const { setting } = this.story;
    return proxyActivities<VideoActivities>(policies.encode(setting, 'early', this.plan.facts.duration, summary));
  }

  private secondsAt(segment: number): number {
    const { grid } = this.plan;
    return grid ? secondsOf(grid, Math.min(grid.totalFrames, segment * grid.segmentFrames)) : 0;
  }
}

const runOf = ({ firstSegment, segments }: Chunk): string =>
  segments === 1 ? `segment ${firstSegment}` : `segments ${firstSegment}-${firstSegment + segments - 1}`;
