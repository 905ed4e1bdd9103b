/** Ends the workflows of an asset, and waits until their steps have really stopped. */
import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowNotFoundError, type Client } from '@temporalio/client';

import type { AssetRow } from '../../catalogue/catalogue.js';
import { generationIdOf, repairIdOf } from '../../contracts/ids.js';
import { waitingFailure } from '../failures.js';
import type { ActivityScope } from '../scope.js';

/** Between two looks. Milliseconds. */
const POLL = 250;
/** So long this attempt waits; then its place is others' until the next one. Milliseconds. */
const PATIENCE = 20_000;
const PAUSE_SECONDS = 5;
/** A workflow that hears no cancel for so long (its code is broken) is terminated. Milliseconds. */
const DEADLINE = 600_000;
/** Longer than a worker needs to notice that nobody wants its step any more. Milliseconds. */
const AFTERMATH = 15_000;

/** @throws ApplicationFailure to be tried again, while they have not ended */
export async function endWork(scope: ActivityScope, client: Client, row: AssetRow): Promise<void> {
  const generations = Array.from({ length: row.begun }, (_, index) => generationIdOf(row.workflowId, index + 1));
  const ids = generations.flatMap((id) => [id, repairIdOf(id)]);
  for (const until = Date.now() + PATIENCE; ; await sleep(POLL, undefined, { signal: scope.signal })) {
    const running: string[] = [];
    for (const id of ids) if (await isRunning(client, id)) running.push(id);
    if (running.length === 0) return;
    if (Date.now() - row.updatedAt.getTime() > DEADLINE) return terminate(scope, client, running);
    // Again each time: one that has just continued as new has not heard of it.
    for (const id of running) await unlessGone(client.workflow.getHandle(id).cancel());
    if (Date.now() > until) throw waitingFailure(`${running[0]} has not ended yet`, PAUSE_SECONDS);
  }
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  const found = await unlessGone(client.workflow.getHandle(workflowId).describe());
  return found !== undefined && ['RUNNING', 'CONTINUED_AS_NEW'].includes(found.status.name);
}

async function terminate(scope: ActivityScope, client: Client, ids: readonly string[]): Promise<void> {
  scope.logger.error('a workflow that does not hear its cancel is terminated', { ids });
  for (const id of ids) await unlessGone(client.workflow.getHandle(id).terminate('its asset was deleted'));
  await sleep(AFTERMATH, undefined, { signal: scope.signal });
}

async function unlessGone<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
