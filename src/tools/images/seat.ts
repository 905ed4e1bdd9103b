/** One place of the pool: a folder, and the children that work in it, one at a time. */
import { lstatSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { MediaError, type ErrorCode } from '../../contracts/errors.js';
import type { ImageTraits, ImageVariant } from '../../contracts/image.js';
import type { SpawnSandboxed } from '../child.js';
import type {
  ImageHeader,
  ImageSlot,
  PictureLooks,
  RenderOptions,
  RenderedImage,
  SheetSpec,
  SlotOptions,
  StripSpec,
} from '../tools.js';
import { countFailure } from '../outcome.js';
import { ChildCollapsed, type Asking, type Collapse, type ImageChild } from './image-child.js';
import {
  isHeader,
  isLooks,
  isOpacity,
  isRendered,
  isSize,
  isStrip,
  type ImageCall,
  type ImageFault,
  type ImageNews,
  type ImageResult,
  type Size,
} from './protocol.js';
import { imageChildSpec } from './spec.js';
import { Standby } from './standby.js';

export interface SeatOptions {
  readonly spawn: SpawnSandboxed;
  /** Encoders at once in each child. */
  readonly threads: number;
  /** Of each child. */
  readonly memoryMiB: number;
  /** Wall time of one request to a child. */
  readonly seconds: number;
  /** Pixels that a decoder may make of one picture. */
  readonly maxPixels: number;
  /** Told of every child that gave way, with its last words. */
  readonly onCollapse?: ((how: Collapse, detail: string) => void) | undefined;
}

/** Between jobs, the children of a place hold no more than this part of what one of them may take. */
const RESIDENT_SHARE = 0.5;

const CODE_OF_COLLAPSE: Record<Collapse, ErrorCode> = {
  // It has not seen the file: that can't be to blame.
  start: 'INTERNAL',
  crashed: 'DECODER_CRASHED',
  timeout: 'DECODER_TIMEOUT',
  memory: 'DECODER_LIMIT',
  'file-size': 'DECODER_LIMIT',
};

const CODE_OF_FAULT: Record<Exclude<ImageFault, 'memory'>, ErrorCode> = {
  unsupported: 'UNSUPPORTED_FORMAT',
  damaged: 'DAMAGED_FILE',
  pixels: 'LIMIT_PIXELS',
  space: 'NO_SPACE',
};

export const closedError = (): MediaError =>
  new MediaError('INTERNAL', undefined, { cause: new Error('image pool is closed') });

/** Serves one job at a time. */
export class Seat {
  private readonly any: Standby;
  private readonly jpeg: Standby;
  /** Serves the present job. */
  private current: Standby;
  private closed = false;

  constructor(
    private readonly dir: string,
    private readonly options: SeatOptions,
  ) {
    const { spawn, memoryMiB, threads } = options;
    this.any = new Standby(spawn, imageChildSpec(dir, { memoryMiB, threads, opens: 'any' }));
    this.jpeg = new Standby(spawn, imageChildSpec(dir, { memoryMiB, threads, opens: 'jpeg' }));
    this.current = this.any;
  }

  async serve<T>(use: (slot: ImageSlot) => Promise<T>, { signal, opens = 'any' }: SlotOptions): Promise<T> {
    this.current = this[opens];
    // Started now, it is up by the time that the source has been put there.
    this.start();
    try {
      return await use({
        dir: this.dir,
        inspect: (file) => this.inspect(file, signal),
        render: async (file, variants, options = {}) => {
          const { images } = await this.render(file, variants, false, options, signal);
          return images;
        },
        renderWithTraits: async (file, variants, options = {}) => {
          const { images, traits } = await this.render(file, variants, true, options, signal);
          return { images, traits: traits! };
        },
        isOpaque: (file) => this.isOpaque(file, signal),
        look: (file) => this.look(file, signal),
        sheet: (spec) => this.sheet(spec, signal),
        strip: (file, spec) => this.strip(file, spec, signal),
      });
    } finally {
      await this.current.endJob();
      await this.shrink();
      if (!this.closed) await this.empty();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([this.any.stop(), this.jpeg.stop()]);
  }

  private async inspect(file: string, signal: AbortSignal | undefined): Promise<ImageHeader> {
    const header = await this.ask({ op: 'inspect', file }, signal);
    if (!isHeader(header)) throw strange();
    return header;
  }

  private async render(
    file: string,
    variants: readonly ImageVariant[],
    traits: boolean,
    { onFile }: RenderOptions,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly images: RenderedImage[]; readonly traits?: ImageTraits | undefined }> {
    const told = new Set<number>();
    // A second try writes the same bytes again: they are reported once.
    const onNews = ({ written, size }: ImageNews): void => {
      const name = variants[written]?.name;
      if (name === undefined || told.has(written)) return;
      told.add(written);
      const found = lstatSync(join(this.dir, name), { throwIfNoEntry: false });
      if (found) onFile?.({ name, file: name, ...size, bytes: found.size });
    };
    const { maxPixels } = this.options;
    const rendered = await this.ask({ op: 'render', file, variants, traits, maxPixels }, signal, onNews);
    if (!isRendered(rendered, variants.length, traits)) throw strange();
    const images = variants.map(({ name }, i) => this.written(name, rendered.sizes[i]!));
    return { images, traits: rendered.traits };
  }

  /** At once: a way round by threads for each of a dozen files takes longer than the files. */
  private written(name: string, { width, height }: Size): RenderedImage {
    return { name, file: name, width, height, bytes: lstatSync(join(this.dir, name)).size };
  }

  private async isOpaque(file: string, signal: AbortSignal | undefined): Promise<boolean> {
    const opacity = await this.ask({ op: 'opaque', file, maxPixels: this.options.maxPixels }, signal);
    if (!isOpacity(opacity)) throw strange();
    return opacity.isOpaque;
  }

  private async look(file: string, signal: AbortSignal | undefined): Promise<PictureLooks> {
    const looks = await this.ask({ op: 'look', file, maxPixels: this.options.maxPixels }, signal);
    if (!isLooks(looks)) throw strange();
    return looks;
  }

  private async sheet(spec: SheetSpec, signal: AbortSignal | undefined): Promise<RenderedImage> {
    const { name } = spec;
    const { maxPixels } = this.options;
    const size = await this.ask({ op: 'sheet', file: name, spec, maxPixels }, signal);
    if (!isSize(size)) throw strange();
    return this.written(name, size);
  }

  private async strip(file: string, spec: StripSpec, signal: AbortSignal | undefined): Promise<readonly number[]> {
    const strip = await this.ask({ op: 'strip', file, spec, maxPixels: this.options.maxPixels }, signal);
    if (!isStrip(strip, spec)) throw strange();
    return strip.delays;
  }

  /** Twice at most: what fails in two fresh processes is the file's fault. */
  private async ask(
    call: ImageCall,
    signal: AbortSignal | undefined,
    onNews?: Asking['onNews'],
  ): Promise<ImageResult | null> {
    const timeoutMs = this.options.seconds * 1000;
    for (let attempt = 1; ; attempt++) {
      try {
        const reply = await this.start().ask(call, { timeoutMs, signal, onNews });
        if (reply.ok) {
          this.current.residentKiB = reply.residentKiB;
          return reply.result;
        }
        if (reply.fault !== 'memory') throw faultOf(reply.fault, reply.message);
        throw new ChildCollapsed('memory', reply.message);
      } catch (error) {
        if (MediaError.is(error)) {
          countFailure('images', error);
          throw error;
        }
        await this.current.stop();
        if (!(error instanceof ChildCollapsed)) throw error;
        this.options.onCollapse?.(error.how, error.message);
        if (attempt < 2) continue;
        const final = error.how !== 'start';
        const collapsed = new MediaError(CODE_OF_COLLAPSE[error.how], this.bound(error.how), { cause: error, final });
        countFailure('images', collapsed);
        throw collapsed;
      }
    }
  }

  /** The number that was passed, for people. */
  private bound(how: Collapse): string | undefined {
    if (how === 'timeout') return `${this.options.seconds} s are allowed.`;
    return how === 'memory' ? `${this.options.memoryMiB} MiB are allowed.` : undefined;
  }

  private start(): ImageChild {
    if (this.closed) throw closedError();
    return this.current.start();
  }

  private async shrink(): Promise<void> {
    const most = this.options.memoryMiB * 1024 * RESIDENT_SHARE;
    const largestFirst = [this.any, this.jpeg].sort((a, b) => b.residentKiB - a.residentKiB);
    if (this.any.residentKiB + this.jpeg.residentKiB > most) await largestFirst[0]!.stop();
  }

  /** The folder itself stays: the child's sandbox holds on to it. */
  private async empty(): Promise<void> {
    for (const name of await readdir(this.dir)) await rm(join(this.dir, name), { recursive: true, force: true });
  }
}

function faultOf(fault: Exclude<ImageFault, 'memory'>, message: string): MediaError {
  return new MediaError(CODE_OF_FAULT[fault], undefined, { cause: new Error(message) });
}

const strange = (): MediaError =>
  new MediaError('DECODER_CRASHED', undefined, { cause: new Error('the image child sent a reply of a wrong form') });
