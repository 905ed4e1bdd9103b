/** The three kinds of workers: what each polls, how much it does at once, which activities it offers. */
import { availableParallelism } from 'node:os';

import { createActivities } from '../activities/index.js';
import type { ActivityContext } from '../activities/context.js';
import type { Config } from '../config/schema.js';

export type Role = 'media' | 'video' | 'image';
export const ROLES: readonly Role[] = ['media', 'video', 'image'];

export interface RolePlan {
  readonly taskQueue: string;
  /** Activities at once. */
  readonly concurrency: number;
  readonly runsWorkflows: boolean;
  readonly needsTools: boolean;
}

/** @param cores what the process may use. */
export function planRole(role: Role, config: Config, cores: number = availableParallelism()): RolePlan {
  const { queues, workers } = config;
  switch (role) {
    case 'media':
      return { taskQueue: queues.media, concurrency: workers.mediaConcurrency, runsWorkflows: true, needsTools: false };
    case 'video':
      // One ffmpeg fills about two cores with its rungs; never fewer than two, so that sound and
      // inspection do not wait behind a long encode.
      return {
        taskQueue: queues.video,
        concurrency: workers.videoConcurrency || Math.max(2, Math.floor(cores / 2)),
        runsWorkflows: false,
        needsTools: true,
      };
    case 'image':
      return {
        taskQueue: queues.image,
        concurrency: workers.imageConcurrency || cores,
        runsWorkflows: false,
        needsTools: true,
      };
  }
}

export function activitiesOf(role: Role, context: ActivityContext): object {
  return createActivities(context)[role];
}
