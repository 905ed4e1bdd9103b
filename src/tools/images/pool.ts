/**
 * A fixed number of places for image work. Each has a folder and, once they are needed, sharp processes that can write
 * nothing else; a process that crashes, hangs or grows too large costs one job a second try, and the worker nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { ImageSlot, SlotOptions } from '../tools.js';
import { closedError, Seat, type SeatOptions } from './seat.js';

export interface ImagePoolOptions extends SeatOptions {
  /** An existing folder; each slot gets its own below it. */
  readonly dir: string;
  readonly slots: number;
}

export interface ImagePool {
  /**
   * Waits for a free slot, in order of asking. The slot's folder is empty before and after.
   *
   * Errors of the slot's calls: UNSUPPORTED_FORMAT, DAMAGED_FILE, LIMIT_PIXELS, NO_SPACE; DECODER_CRASHED,
   * DECODER_TIMEOUT and DECODER_LIMIT after a second try in a fresh child; INTERNAL when no child starts; the signal's
   * own reason.
   */
  withSlot<T>(use: (slot: ImageSlot) => Promise<T>, options?: SlotOptions): Promise<T>;
  /** Ends every child and removes the folders. Those who wait are refused. */
  close(): Promise<void>;
}

export async function createImagePool(options: ImagePoolOptions): Promise<ImagePool> {
  const root = await mkdtemp(join(options.dir, 'images-'));
  const free = await Promise.all(
    Array.from({ length: options.slots }, async () => new Seat(await mkdtemp(join(root, 'slot-')), options)),
  );
  const all = [...free];
  const queue: ((seat: Seat | Error) => void)[] = [];
  let closed = false;

  async function take(signal: AbortSignal | undefined): Promise<Seat> {
    signal?.throwIfAborted();
    if (closed) throw closedError();
    const seat = free.shift();
    if (seat) return seat;
    return new Promise<Seat>((resolve, reject) => {
      const settle = (next: Seat | Error): void => {
        signal?.removeEventListener('abort', leave);
        if (next instanceof Error) reject(next);
        else resolve(next);
      };
      const leave = (): void => {
        queue.splice(queue.indexOf(settle), 1);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', leave, { once: true });
      queue.push(settle);
    });
  }

  function give(seat: Seat): void {
    const next = queue.shift();
    if (next) next(seat);
    else free.push(seat);
  }

  return {
    async withSlot(use, options = {}) {
      const seat = await take(options.signal);
      try {
        return await seat.serve(use, options);
      } finally {
        give(seat);
      }
    },
    async close() {
      closed = true;
      for (const settle of queue.splice(0)) settle(closedError());
      await Promise.all(all.map((seat) => seat.close()));
      await rm(root, { recursive: true, force: true });
    },
  };
}
