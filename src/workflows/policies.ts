/**
 * Timeouts, retries, queues and priorities of every kind of step, each with its reason.
 *
 * Common to all: cancellation waits until the activity has really ended (`WAIT_CANCELLATION_COMPLETED`;
 * the SDK's default would let compensation delete outputs while ffmpeg still writes them). Which errors
 * are final is decided by the activity from the closed list of codes, so no list of types stands here.
 */
import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';

import type { Priority } from '../contracts/assets.js';
import { SAFE_PRIORITY } from '../contracts/course.js';
import type { QueueNames } from '../contracts/names.js';

/** Whose step it is, and where the steps are done. */
export interface Setting {
  readonly tenant: string;
  /** Of the job, as it is now. */
  readonly priority: Priority;
  readonly queues: QueueNames;
  /** Of a job with a deadline; absent: of one without. */
  readonly standing?: Standing | undefined;
}

/**
 * `deadline`: what must be there by then is still to be made. `last-call`: there is just time for the least of it.
 * `safe`: it can be published in time. `upgrade`: it has been.
 */
export type Standing = 'deadline' | 'last-call' | 'safe' | 'upgrade';

/**
 * `wanted`: a viewer waits. `first`: what must be there before anybody can watch. `head`: what is played
 * next. `early` and `bulk`: the rest of the work, by how soon it is played.
 */
export type Urgency = 'wanted' | 'first' | 'head' | 'early' | 'bulk';

const URGENT: readonly Urgency[] = ['wanted', 'first', 'head'];

/** A dead worker is noticed after this. Heartbeats come every second: ten may be lost. */
const HEARTBEAT_TIMEOUT = '10s';

/** Sooner, where seconds are what it is about. */
const DELIVERY_HEARTBEAT_TIMEOUT = '4s';

/** Longest that a step may wait and retry in all: an outage of a week-end loses nothing. */
const STEP_BOUND = '7 days';

/**
 * Backoff that neither hammers a store that is coming back nor lets an uploader wait long after it is.
 * No number of attempts stands here: those that an outage or a drain used up must not count, and
 * only the activity knows them (`activities/scope.ts`).
 */
const RETRY = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' } as const;

/** Encoding slower than this many times real time is taken for stuck, whatever it reports. */
const SLOWEST_ENCODE = 30;

/** Download, probing and upload of the largest allowed source over a slow link. */
const TRANSFER_SECONDS = 1800;

/** Videos up to so many seconds are encoded on the urgent queue as a whole: they never wait for a chunk of a long one. */
const SHORT_SECONDS = 12;

/** Seconds of media that are read from end to end within a few seconds, so that no first segment waits long for the slot. */
const LONGEST_URGENT_READ = 600;

/** Seconds of media that keep the job's own priority: what comes later gives way, so that a long video never holds up a short one. */
const EARLY_SECONDS = 120;

/** @param fromSeconds where the chunk begins. @param duration of the whole video. */
export function urgencyOf(fromSeconds: number, duration: number): Urgency {
  if (fromSeconds === 0 || duration <= SHORT_SECONDS + 0.5) return 'head';
  return fromSeconds < EARLY_SECONDS ? 'early' : 'bulk';
}

/**
 * Players ask for subtitles when they begin, and only once; but to take them out of a file one reads all of it.
 *
 * @param duration of the whole video, seconds.
 */
export const urgencyOfTexts = (duration: number): Urgency => (duration <= LONGEST_URGENT_READ ? 'head' : 'early');

function priorityOf(urgency: Urgency, priority: Priority): Priority {
  if (urgency === 'wanted') return 1;
  // One level for both: fairness between tenants works within a level only, and a thousand first looks of one
  // tenant must not stand before the rest of another's short video.
  if (urgency === 'first' || urgency === 'head') return Math.max(1, priority - 1) as Priority;
  return urgency === 'early' ? priority : (Math.min(5, priority + 1) as Priority);
}

/** What has a deadline has its level by its slack: not another one by its place in the video. */
function placeOf({ priority, standing, queues }: Setting, urgency: Urgency): { priority: Priority; taskQueue: string } {
  const queue = (isUrgent: boolean): string => (isUrgent ? queues.videoUrgent : queues.video);
  if (!standing || urgency === 'wanted' || urgency === 'first') {
    // Of what is in a hurry, the greater one still comes first.
    const isHurried = standing !== undefined && urgency === 'first' && priority <= 2;
    return {
      priority: isHurried ? priority : priorityOf(urgency, priority),
      taskQueue: queue(URGENT.includes(urgency)),
    };
  }
  return { priority, taskQueue: queue(standing === 'last-call' || (standing === 'deadline' && urgency === 'head')) };
}

/** For what need not be there in time: it gives way to everything that must. */
export const spare = (setting: Setting): Setting =>
  setting.standing === 'deadline' || setting.standing === 'last-call'
    ? { ...setting, priority: SAFE_PRIORITY, standing: 'safe' }
    : setting;

const common = ({ tenant, priority }: Setting, summary: string): ActivityOptions => ({
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  scheduleToCloseTimeout: STEP_BOUND,
  retry: RETRY,
  // The Temporal SDK limits the key to 64 bytes.
  priority: { priorityKey: priority, fairnessKey: tenant.slice(0, 64) },
  summary,
});

/** Workflows that were begun when publishing had no queue of its own name none: media workers do it for them. */
const publishQueue = (queues: Partial<QueueNames> & Pick<QueueNames, 'media'>): string =>
  queues.publish ?? queues.media;

export const policies = {
  /** Nobody can watch before it is done, and it is short: not behind encodes. */
  inspect: (setting: Setting): ActivityOptions => ({
    ...common({ ...setting, priority: placeOf(setting, 'first').priority }, 'inspect'),
    taskQueue: setting.queues.videoUrgent,
    startToCloseTimeout: `${TRANSFER_SECONDS}s`,
  }),

  /** @param mediaSeconds length of what is encoded. */
  encode: (setting: Setting, urgency: Urgency, mediaSeconds: number, summary: string): ActivityOptions => {
    const { priority, taskQueue } = placeOf(setting, urgency);
    return {
      ...common({ ...setting, priority }, summary),
      taskQueue,
      startToCloseTimeout: `${Math.ceil(TRANSFER_SECONDS + mediaSeconds * SLOWEST_ENCODE)}s`,
    };
  },

  /** One picture is bounded by `limits.imageSeconds`; the rest is transfer. */
  image: (setting: Setting, summary: string): ActivityOptions => ({
    ...common(setting, summary),
    taskQueue: setting.queues.image,
    startToCloseTimeout: '5 minutes',
  }),

  /** A few requests to the catalogue and the broker. */
  light: (setting: Setting, summary: string): ActivityOptions => ({
    ...common(setting, summary),
    taskQueue: setting.queues.media,
    startToCloseTimeout: '1 minute',
  }),

  /** Reading back what was made grows with it: one small request for each segment of a ten-hour video takes minutes. */
  publish: (setting: Setting): ActivityOptions => ({
    ...common(setting, 'verify and publish'),
    taskQueue: publishQueue(setting.queues),
    startToCloseTimeout: '30 minutes',
  }),

  /** A stand-in for an encoder. @param seconds that it takes */
  simulated: (setting: Setting, seconds: number, summary: string): ActivityOptions => ({
    ...common(setting, summary),
    taskQueue: setting.queues.media,
    startToCloseTimeout: `${Math.ceil(seconds) + 60}s`,
  }),

  /** As long as it takes until one is free: whoever asks has not begun to encode. */
  reserve: (setting: Setting): ActivityOptions => ({
    ...common(setting, 'a publisher'),
    taskQueue: publishQueue(setting.queues),
    startToCloseTimeout: '1 day',
  }),

  /** By the process that keeps a publisher ready for it; when that does not take it at once it is not there any more. */
  byKeeper: (setting: Setting, queue: string, summary: string): ActivityOptions => ({
    ...common({ ...setting, priority: 1 }, summary),
    taskQueue: queue,
    heartbeatTimeout: DELIVERY_HEARTBEAT_TIMEOUT,
    scheduleToStartTimeout: '2s',
    startToCloseTimeout: '5 minutes',
    retry: { maximumAttempts: 1 },
  }),

  /** A publisher that dies while it holds the tightest deadline is noticed in seconds: nothing heavy runs beside it. */
  deliver: (setting: Setting, summary = 'deliver'): ActivityOptions => ({
    ...common(setting, summary),
    taskQueue: publishQueue(setting.queues),
    heartbeatTimeout: DELIVERY_HEARTBEAT_TIMEOUT,
    startToCloseTimeout: '30 minutes',
    scheduleToCloseTimeout: '1 day',
  }),

  /** Clean-up and last words: they must succeed, however long the store or the catalogue is away. */
  end: (setting: Setting, summary: string): ActivityOptions => ({
    ...common(setting, summary),
    taskQueue: setting.queues.media,
    startToCloseTimeout: '10 minutes',
    scheduleToCloseTimeout: undefined,
  }),

  /** It goes over everything there is, and comes again: not worth much patience. */
  housekeeping: (queues: QueueNames, summary: string): ActivityOptions => ({
    ...common({ tenant: '', priority: 5, queues }, summary),
    taskQueue: queues.media,
    startToCloseTimeout: '6 hours',
    scheduleToCloseTimeout: '6 hours',
    retry: { ...RETRY, maximumAttempts: 10 },
  }),

  /** An answer of the receiver is a result, whatever it says; what fails is ours, and says nothing about the receiver. */
  webhook: (setting: Setting): ActivityOptions => ({
    ...common(setting, 'webhook'),
    taskQueue: setting.queues.media,
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: undefined,
  }),
} as const;
