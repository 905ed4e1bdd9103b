/** How far a job is, from the workflow's own account and the heartbeats of its running steps. */
import type { WorkflowHandle } from '@temporalio/client';
import type { Payload } from '@temporalio/common';

import { FINAL_STATES } from '../contracts/assets.js';
import { parseHeartbeat, QUERY_PROGRESS, type HeartbeatDetails, type Progress } from '../contracts/progress.js';

export interface LiveProgress extends Progress {
  /** 0-100, of the whole job. */
  readonly percent: number;
  /** Media seconds per wall second, all running encodes together. */
  readonly speed?: number | undefined;
  /** Seconds. */
  readonly timeLeft?: number | undefined;
  /** Attempts that failed so far, with the last reason: why nothing seems to happen. */
  readonly retrying?: { readonly step: string; readonly attempt: number; readonly reason: string } | undefined;
}

interface RunningStep {
  readonly type: string;
  readonly attempt: number;
  readonly lastFailure?: string | undefined;
  readonly details?: HeartbeatDetails | undefined;
}

/** Encoding is nearly all of the work; what comes before and after it gets these shares of the bar. */
const BEFORE_ENCODING = 3;
const ENCODING = 95;

export async function liveProgress(handle: WorkflowHandle): Promise<LiveProgress> {
  const [progress, running] = await Promise.all([handle.query<Progress>(QUERY_PROGRESS), runningSteps(handle)]);
  return combine(progress, running);
}

/** Pure: a workflow's account and its running steps as one picture. */
export function combine(progress: Progress, running: readonly RunningStep[]): LiveProgress {
  const encodes = running.filter(({ type }) => type === 'encodeChunk');
  const speed = encodes.reduce((sum, { details }) => sum + (details?.speed ?? 0), 0);
  const percent = percentOf(progress, running, encodes);
  const left = speed > 0 && progress.duration ? ((100 - percent) / 100) * (progress.duration / speed) : undefined;
  const stuck = running.find(({ attempt, lastFailure }) => attempt > 1 && lastFailure);
  return {
    ...progress,
    percent,
    speed: speed > 0 ? speed : undefined,
    timeLeft: left,
    retrying: stuck && { step: stuck.type, attempt: stuck.attempt, reason: stuck.lastFailure ?? '' },
  };
}

function percentOf(progress: Progress, running: readonly RunningStep[], encodes: readonly RunningStep[]): number {
  if (FINAL_STATES.includes(progress.state)) return 100;
  if (['publishing', 'mending'].includes(progress.stage)) return BEFORE_ENCODING + ENCODING;
  const share = (steps: readonly RunningStep[]): number =>
    steps.reduce((sum, { details }) => sum + (details?.percent ?? 0) / 100, 0);
  if (progress.chunks && progress.chunks.total > 0) {
    const { done, total } = progress.chunks.segments;
    const underWay = encodes.reduce((sum, { details }) => sum + (details?.segmentsDone ?? 0), 0);
    return BEFORE_ENCODING + ENCODING * Math.min(1, (done + underWay) / total);
  }
  return running.length === 0 ? 0 : (ENCODING * share(running)) / running.length;
}

/** What its steps are making at this moment (`HeartbeatDetails.what`): what waits for a worker is not among it. */
export async function atWork(handle: WorkflowHandle): Promise<string[]> {
  return (await runningSteps(handle)).flatMap(({ details }) => (details ? [details.what] : []));
}

async function runningSteps(handle: WorkflowHandle): Promise<RunningStep[]> {
  const { raw } = await handle.describe();
  return Promise.all(
    (raw.pendingActivities ?? []).map(async (pending) => {
      const payload = pending.heartbeatDetails?.payloads?.[0];
      return {
        type: pending.activityType?.name ?? '',
        attempt: pending.attempt ?? 1,
        lastFailure: pending.lastFailure?.message ?? undefined,
        details: payload ? parseHeartbeat(await plain(handle, payload)) : undefined,
      };
    }),
  );
}

/** A description is the server's answer as it is: what workers encrypted is still encrypted. */
async function plain({ client }: WorkflowHandle, payload: Payload): Promise<unknown> {
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  let decoded = [payload];
  for (const codec of [...payloadCodecs].reverse()) decoded = await codec.decode(decoded);
  return payloadConverter.fromPayload(decoded[0]!);
}
