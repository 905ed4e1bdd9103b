/** The kinds of workers: what each polls, how much it does at once, which activities it offers. */
import { availableParallelism } from 'node:os';

import { createActivities } from '../activities/index.js';
import type { ActivityContext } from '../activities/context.js';
import { ownQueue } from '../activities/deliver/own-queue.js';
import { encodesAtOnce } from '../activities/video/contention.js';
import type { Config } from '../config/schema.js';

export type Role = 'media' | 'video' | 'image' | 'publish';
export const ROLES: readonly Role[] = ['media', 'video', 'image', 'publish'];

export interface RolePlan {
  readonly pools: readonly Pool[];
  readonly needsTools: boolean;
}

/** One task queue, with slots of its own: what fills another queue's slots never holds it up. */
export interface Pool {
  readonly taskQueue: string;
  /** Activities at once. */
  readonly concurrency: number;
  readonly runsWorkflows: boolean;
}

/** @param cores what the process may use. */
export function planRole(role: Role, config: Config, cores: number = availableParallelism()): RolePlan {
  const { queues, workers } = config;
  switch (role) {
    case 'media':
      return {
        pools: [{ taskQueue: queues.media, concurrency: workers.mediaConcurrency, runsWorkflows: true }],
        needsTools: false,
      };
    case 'video': {
      const bulk = encodesAtOnce(config, cores);
      return {
        pools: [
          { taskQueue: queues.video, concurrency: bulk, runsWorkflows: false },
          // Short work of which a viewer waits for the end; the bulk gives way to it by its niceness.
          { taskQueue: queues.videoUrgent, concurrency: workers.urgentConcurrency, runsWorkflows: false },
        ],
        needsTools: true,
      };
    }
    case 'image':
      return {
        // While one image is fetched or published, its place among the decoders is another's.
        pools: [
          { taskQueue: queues.image, concurrency: 2 * (workers.imageConcurrency || cores), runsWorkflows: false },
        ],
        needsTools: true,
      };
    case 'publish':
      return {
        pools: [
          { taskQueue: queues.publish, concurrency: workers.publishConcurrency, runsWorkflows: false },
          // Deliveries that were promised a publisher of this process.
          { taskQueue: ownQueue(queues), concurrency: workers.publishConcurrency, runsWorkflows: false },
        ],
        needsTools: false,
      };
  }
}

export function activitiesOf(role: Role, context: ActivityContext): object {
  return createActivities(context)[role];
}
