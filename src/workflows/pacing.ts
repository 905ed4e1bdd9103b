/** Keeps a video to its deadline: looks ahead again and again, and decides what to leave out for the time being. */
import { condition, isCancellation, log } from '@temporalio/workflow';

import type { EncodeTiming, Pace } from '../contracts/pace.js';
import {
  courseOf,
  nextLookIn,
  priorityBySlack,
  UPGRADE_PRIORITY,
  SAFE_PRIORITY,
  type Course,
  type Outlook,
} from '../contracts/course.js';
import type { Chunk, ChunkResult } from '../contracts/plan.js';
import { announce } from './deadline.js';
import { Forecast } from './forecast.js';
import type { RunningStep } from './parts.js';
import type { Rooms } from './rooms.js';
import { defaultTrack } from './sound.js';
import { together } from './together.js';

/** Chunks of one video in flight: enough to keep a fleet busy, few enough to keep the history of a long video small at any moment. */
export const CHUNK_LANES = 16;
export const MOST_CHUNK_LANES = 64;
/** Seconds of sound that are encoded within a few seconds: begun anew, it loses little. */
const SHORT_SOUND = 600;

export class Pacing {
  /** Rungs that are made first, from the bottom. What was once left for later stays that. */
  private rungs = Infinity;
  private course: Course | undefined;
  private isCalled = false;
  private isPublished = false;
  private readonly forecast: Forecast;

  constructor(private readonly studio: Rooms) {
    this.forecast = new Forecast(studio);
  }

  /** @param pace what is known of the machines before the first chunk */
  begin(pace: Pace | undefined): void {
    this.forecast.begin(pace);
    if (pace?.isContended) this.rungs = 1;
    this.look();
  }

  /** There is no time for what is made only to be seen sooner. */
  get isShort(): boolean {
    if (!this.course) return false;
    return this.isCalled || this.course.isAtRisk || this.rungs < this.forecast.rungs.length;
  }

  /** Looks ahead until it is cancelled. Costs a job without a deadline nothing. */
  async serve(): Promise<void> {
    await together([() => this.watch(), () => this.tell()]);
  }

  /** Of these rungs, those that a chunk is to be made in now. */
  rungsOf(names: readonly string[]): string[] {
    this.look();
    const first = this.forecast.rungs.slice(0, this.isPublished ? Infinity : this.rungs);
    return names.filter((name) => first.some((rung) => rung.name === name));
  }

  get isHasty(): boolean {
    return !this.isPublished && (this.course?.isHasty ?? false);
  }

  /** Whoever encodes a chunk may leave rungs for later. */
  get isDivisible(): boolean {
    return !this.isPublished && this.course !== undefined;
  }

  /** Chunks at once. */
  get lanes(): number {
    return this.isHasty ? MOST_CHUNK_LANES : CHUNK_LANES;
  }

  /** What of the rungs that were left for later is to be made next: whole rungs while there is a deadline to come. */
  next(): string[] {
    const { later } = this.studio;
    const left = this.forecast.rungs.map(({ name }) => name).filter((name) => later.chunksOf(name).length > 0);
    return this.course && !this.isPublished ? left.slice(0, 1) : left;
  }

  began(chunk: Chunk, rungs: readonly string[]): void {
    this.forecast.began(chunk, rungs);
  }

  ended(chunk: Chunk, { timing, left = [] }: Pick<ChunkResult, 'timing' | 'left'>): void {
    const { rungs } = this.forecast.ended(chunk);
    if (timing) this.measured(timing);
    if (left.length > 0) this.rungs = Math.min(this.rungs, rungs.length - left.length);
    this.look();
  }

  measured(timing: EncodeTiming): void {
    this.studio.story.deadline.encodingStarted(timing.startedAt);
    this.forecast.measured(timing);
  }

  /** Whether what is whole is to be published now, and the rest to follow. */
  get isDue(): boolean {
    const { course, studio } = this;
    if (!course || this.isPublished || !this.isSafe || studio.story.unfinished.length === 0) return false;
    return course.isAtRisk || Date.now() >= course.publishAt;
  }

  published(): void {
    this.isPublished = true;
    Object.assign(this.studio.story.deadline, { priority: UPGRADE_PRIORITY, standing: 'upgrade' });
  }

  /** There is something to play in its whole length, with its sound. */
  private get isSafe(): boolean {
    const { steps, story } = this.studio;
    const { rungs } = steps.plan;
    const track = defaultTrack(steps.plan);
    const heard = track === undefined || !story.unfinished.includes(track.name);
    return heard && (rungs.length === 0 || rungs.some(({ name }) => story.isDone(name)));
  }

  private async watch(): Promise<void> {
    const { deadline } = this.studio.story;
    for (;;) {
      await condition(() => deadline.publishBy !== undefined && !this.isPublished);
      const { changes } = deadline;
      this.look();
      await condition(() => deadline.changes !== changes || this.isPublished, 1000 * this.untilNextLook());
    }
  }

  private async tell(): Promise<void> {
    const { story } = this.studio;
    let told: string | undefined;
    for (;;) {
      await condition(() => this.news !== told);
      told = this.news;
      const report = this.course && story.deadline.report(this.course);
      if (!report) continue;
      try {
        await announce(report, story);
      } catch (error) {
        if (isCancellation(error)) throw error;
        log.error('nobody was told of the deadline', { error });
      }
    }
  }

  /** What others are told of, as soon as it is another one. */
  private get news(): string | undefined {
    const { deadline } = this.studio.story;
    if (!this.course || this.isPublished || !deadline.isFixed) return undefined;
    const { state, publishBy, measures } = deadline.report(this.course)!;
    return [state, publishBy, ...measures].join(' ');
  }

  private look(): void {
    const { story } = this.studio;
    const { deadline } = story;
    const { publishBy } = deadline;
    if (this.isPublished || publishBy === undefined) {
      if (publishBy === undefined && this.course) this.forget();
      return;
    }
    const outlook = this.forecast.outlook(Date.parse(publishBy));
    const course = courseOf(outlook);
    this.course = { ...course, isAtRisk: course.isAtRisk || (this.course?.isAtRisk ?? false) };
    this.act(course, outlook);
    story.tell();
  }

  /** It is not needed by any time any more. */
  private forget(): void {
    this.course = undefined;
    Object.assign(this.studio.story.deadline, { priority: undefined, standing: undefined });
  }

  private act(course: Course, { now }: Outlook): void {
    const { story, chunks } = this.studio;
    const { deadline } = story;
    const { isSafe } = this;
    const isLast = !isSafe && now >= course.lastCallAt;
    const level = isSafe
      ? Math.max(SAFE_PRIORITY, story.priority)
      : priorityBySlack((course.lastCallAt - now) / 1000, story.priority);
    deadline.priority = level as typeof story.priority;
    deadline.standing = isSafe ? 'safe' : isLast ? 'last-call' : 'deadline';
    if (level < story.priority) deadline.take('priority');
    if (course.isHasty && chunks.all.length > CHUNK_LANES) deadline.take('lanes');
    if (course.isHasty) deadline.take('preset');
    this.rungs = Math.min(this.rungs, isLast ? 1 : course.rungs);
    if (this.rungs < this.forecast.rungs.length) deadline.take('fewer-rungs');
    if (isLast && !this.isCalled) this.callLast();
  }

  /** Whatever is under way and not the least of it begins again as that, in front of everything else. */
  private callLast(): void {
    this.isCalled = true;
    const { parts, steps } = this.studio;
    const sound = defaultTrack(steps.plan)?.name;
    const isShort = steps.plan.facts.duration <= SHORT_SOUND;
    parts.again(({ names, priority }: RunningStep) => {
      if (sound !== undefined && names.includes(sound)) return isShort && priority > 1;
      return names.some((name) => this.isEncoded(name)) && (names.length > 1 || priority > 1);
    });
  }

  private untilNextLook(): number {
    const { course } = this;
    if (!course) return 1;
    const seconds = (at: number): number => (at - Date.now()) / 1000;
    const ahead = [course.lastCallAt, course.publishAt].map(seconds).filter((until) => until > 0);
    return Math.max(0.1, Math.min(nextLookIn(seconds(course.publishAt)), ...ahead));
  }

  private isEncoded(name: string): boolean {
    return this.forecast.rungs.some((rung) => rung.name === name);
  }
}
