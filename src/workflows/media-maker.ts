/** Makes every part of a plan side by side: chunks of all rungs, copies, tracks, subtitles, pictures. */
import { condition, isCancellation } from '@temporalio/workflow';

import type { Made } from '../contracts/activities.js';
import {
  POSTER,
  STORYBOARD,
  type AudioTrack,
  type Chunk,
  type ChunkResult,
  type EncodedAudio,
} from '../contracts/plan.js';
import type { Rendition } from '../contracts/renditions.js';
import { encodeAgain } from './encode-again.js';
import { CHUNK_LANES, MOST_CHUNK_LANES } from './pacing.js';
import type { Studio } from './studio.js';
import { together } from './together.js';

export class MediaMaker {
  private readonly tracks = new Map<string, EncodedAudio>();
  private readonly pictures = new Map<string, Rendition>();
  private subtitles: readonly string[] = [];

  /** @param before what an earlier workflow made, where this one only mends. */
  constructor(
    private readonly studio: Studio,
    private readonly before?: Made,
  ) {
    for (const track of before?.audio ?? []) this.tracks.set(track.name, track);
    for (const picture of before?.pictures ?? []) this.pictures.set(picture.name, picture);
    this.subtitles = before?.subtitles ?? [];
  }

  /**
   * @param look resolves when the first segment is no longer in other hands: it is not made twice, and what
   *   somebody waits for has the machine to itself
   */
  async make(look: PromiseLike<void>): Promise<void> {
    await together([
      // Small, and what players ask for first and only once.
      () => this.texts(),
      async () => {
        await look;
        await this.everythingElse();
      },
    ]);
  }

  private async everythingElse(): Promise<void> {
    const { rungs, audio } = this.studio.steps.plan;
    const copied = rungs.filter(({ passthrough }) => passthrough);
    await together([
      () => this.allChunks(),
      ...copied.map(
        ({ name }) =>
          () =>
            this.copy(name),
      ),
      ...audio.map((track) => () => this.sound(track)),
      () => this.poster(),
      () => this.storyboard(),
    ]);
  }

  get made(): Made {
    const { before } = this;
    const { steps, parts, chunks, quality } = this.studio;
    return {
      frames: before?.frames ?? chunks.frames,
      damagedFrames: before?.damagedFrames ?? chunks.damagedFrames,
      quality: quality.lowest,
      audio: parts.left(steps.plan.audio).flatMap((name) => this.tracks.get(name) ?? []),
      subtitles: this.subtitles.filter((name) => !parts.isLost(name)),
      pictures: [...this.pictures.values()],
      missing: parts.missing,
    };
  }

  hasTrack(name: string): boolean {
    return this.tracks.has(name);
  }

  async copy(rung: string): Promise<void> {
    const { parts, steps } = this.studio;
    const instead = await parts.optional(rung, async () => (await steps.copyRung(rung)).instead);
    if (!instead) return;
    steps.replace(instead);
    // Chunks that are still to come bring it with them.
    const segments = this.studio.chunks.begun;
    await encodeAgain([{ name: rung, problem: 'It could not be copied.', segments }], this.studio);
  }

  async sound(track: AudioTrack): Promise<void> {
    const { parts, steps } = this.studio;
    const encoded = await parts.optional(track.name, () => steps.encodeAudio(track));
    if (encoded) this.tracks.set(track.name, encoded);
  }

  /** All tracks come of one reading of the source. One without a word in it is not kept, and not missed. */
  async texts(): Promise<void> {
    const { steps, parts, story } = this.studio;
    const tracks = parts.left(steps.plan.subtitles);
    if (tracks.length === 0) return;
    for (const name of tracks) story.part(name, 'running');
    try {
      this.subtitles = await steps.makeSubtitles();
      for (const name of parts.left(steps.plan.subtitles)) story.part(name, 'done');
    } catch (error) {
      if (isCancellation(error)) throw error;
      for (const name of parts.left(steps.plan.subtitles)) parts.lose(name, error);
    }
  }

  async picture(name: typeof POSTER | typeof STORYBOARD): Promise<void> {
    const { parts, steps } = this.studio;
    const make = name === POSTER ? () => steps.makePoster() : () => steps.makeStoryboard();
    for (const picture of (await parts.optional(name, make)) ?? []) this.pictures.set(picture.name, picture);
  }

  private async poster(): Promise<void> {
    const { chunks, steps } = this.studio;
    const { posterFrames } = steps.plan.stills;
    if (posterFrames.length === 0) return;
    await condition(() => chunks.hold(posterFrames));
    await this.picture(POSTER);
  }

  private async storyboard(): Promise<void> {
    const { chunks, steps } = this.studio;
    if (!steps.plan.stills.storyboard) return;
    await condition(() => chunks.allDone);
    await this.picture(STORYBOARD);
  }

  private async allChunks(): Promise<void> {
    const { chunks, story, pacing, later } = this.studio;
    const lane = async (number: number): Promise<void> => {
      // More of them while a deadline is near.
      if (number >= CHUNK_LANES) await condition(() => number < pacing.lanes || !chunks.hasWaiting);
      for (let place = chunks.take(); place !== undefined; place = chunks.take()) {
        chunks.finish(place, await this.chunk(chunks.all[place]!));
        story.tell();
      }
    };
    const lanes = Math.min(MOST_CHUNK_LANES, chunks.all.length);
    await together(Array.from({ length: lanes }, (_, number) => () => lane(number)));
    for (const name of this.encodedRungs()) if (later.chunksOf(name).length === 0) story.part(name, 'done');
    await this.leftForLater();
  }

  private async chunk(chunk: Chunk): Promise<ChunkResult> {
    const { steps, parts, quality, story, pacing, later } = this.studio;
    let rungs: string[] = [];
    const result = await parts.stoppable(() => {
      rungs = pacing.rungsOf(this.encodedRungs());
      for (const name of rungs) story.part(name, 'running');
      pacing.began(chunk, rungs);
      const { isHasty, isDivisible } = pacing;
      return [rungs, () => steps.encodeChunk(chunk, rungs, true, { isHasty, isDivisible })];
    });
    const { left = [] } = result;
    quality.add(chunk, result.quality);
    later.add(
      this.encodedRungs().filter((name) => !rungs.includes(name) || left.includes(name)),
      chunk,
    );
    pacing.ended(chunk, result);
    return result;
  }

  /** The rungs that were left out for the sake of a deadline. */
  private async leftForLater(): Promise<void> {
    const { chunks, pacing, later } = this.studio;
    for (let names = pacing.next(); names.length > 0; names = pacing.next()) {
      const findings = names.map((name) => ({
        name,
        problem: 'It was left for later.',
        segments: chunks.real(later.chunksOf(name)),
      }));
      await encodeAgain(findings, this.studio, { isSpare: true });
      later.done(names);
    }
  }

  private encodedRungs(): string[] {
    const { parts, steps } = this.studio;
    return parts.left(steps.plan.rungs.filter(({ passthrough }) => !passthrough));
  }
}
