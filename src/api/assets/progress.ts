/** How far the work on an asset is, for everybody who asks at that moment. */
import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';

import type { AssetRow } from '../../catalogue/catalogue.js';
import { liveProgress } from '../../client/progress.js';
import { FINAL_STATES } from '../../contracts/assets.js';
import type { ApiContext } from '../context.js';
import { progressOf } from './resource.js';
import type { AssetProgress } from './schemas.js';

/** All who ask within it get the same answer. Milliseconds. */
const FRESH_MS = 500;
/** An engine that is slow to tell must not hold up what is known without it. Milliseconds. */
const PATIENCE = 500;
/** Of a question that nobody waits for any more. Milliseconds. */
const DEADLINE = 2_000;
/** So long nothing is asked again about a workflow of which there was no answer. Milliseconds. */
const AWAY_MS = 2_000;
const ASSETS = 10_000;

interface Answer {
  readonly progress: AssetProgress | undefined;
}

type Answers = LRUCache<string, Answer, ApiContext>;
const caches = new WeakMap<Client, Answers>();

/** Undefined where no work is under way, or the engine can't tell: the rest of a status is true without it. */
export async function progressNow(ctx: ApiContext, row: AssetRow): Promise<AssetProgress | undefined> {
  if (FINAL_STATES.includes(row.state)) return undefined;
  const answer = answersOf(ctx.temporal).fetch(row.workflowId, { context: ctx });
  return (await Promise.race([answer, sleep(PATIENCE, undefined, { ref: false })]))?.progress;
}

function answersOf(temporal: Client): Answers {
  const known = caches.get(temporal);
  if (known) return known;
  const answers: Answers = new LRUCache<string, Answer, ApiContext>({
    max: ASSETS,
    ttl: FRESH_MS,
    fetchMethod: async (workflowId, _stale, { context, options }) => {
      const answer = await ask(context, workflowId);
      if (!answer) options.ttl = AWAY_MS;
      return answer ?? { progress: undefined };
    },
  });
  caches.set(temporal, answers);
  return answers;
}

/** @returns undefined when there was no answer */
async function ask({ temporal, logger }: ApiContext, workflowId: string): Promise<Answer | undefined> {
  try {
    const handle = temporal.workflow.getHandle(workflowId);
    return { progress: progressOf(await temporal.withDeadline(Date.now() + DEADLINE, () => liveProgress(handle))) };
  } catch (error) {
    // Received and not begun.
    if (error instanceof WorkflowNotFoundError) return { progress: undefined };
    // The engine is away, or the workers are, who answer such questions.
    logger.debug('no progress to be had', { workflowId, error });
    return undefined;
  }
}
