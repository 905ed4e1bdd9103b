/** `repair`: what is missing or at fault in a published asset is made again, and nothing else. */
import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { Command } from 'commander';

import { isRepairable, partsOf } from '../../api/lifecycle/repairable.js';
import type { AssetRow } from '../../catalogue/catalogue.js';
import { liveProgress } from '../../client/progress.js';
import { repair } from '../../client/repair.js';
import type { ProcessSummary } from '../../contracts/summary.js';
import { cliConfig } from './config.js';
import { progressLine } from './follow.js';
import { json, plain } from './format.js';
import { Lines } from './lines.js';
import { withSession, type Session } from './session.js';

const POLL_MS = 500;

interface RepairOptions {
  readonly rendition?: readonly string[];
  readonly json?: boolean;
}

export function registerRepair(program: Command): void {
  program
    .command('repair')
    .description('verify a published video or sound, and make again only what is missing or at fault')
    .argument('<asset>', 'asset id or workflow id')
    .option('--rendition <name...>', 'only these renditions; one that was cancelled comes back by its name')
    .option('--json', 'print a JSON object')
    .action(async (id: string, options: RepairOptions) => {
      const state = await withSession(cliConfig(), (session) => repairOne(session, id, options));
      process.exitCode = state === 'ready' ? 0 : 1;
    });
}

async function repairOne(session: Session, id: string, options: RepairOptions): Promise<ProcessSummary['state']> {
  const { catalogue, temporal, config } = session;
  const row = await (id.includes('/') ? catalogue.findByWorkflow(id) : catalogue.find(id));
  if (!row) throw new Error(`There is no asset ${id}.`);
  assertRepairable(row);
  const renditions = options.rendition && named(row, options.rendition);
  const request = {
    assetId: row.id,
    generation: row.generation,
    tenant: row.tenant,
    renditions,
  };
  const handle = await repair(temporal, row.workflowId, request, config.queues);
  // With --json, standard output is for the answer alone.
  const lines = new Lines(options.json ? process.stderr : process.stdout);
  const summary = await followed(handle, (line) => lines.set(row.id, 0, line));
  if (options.json) console.log(json(summary));
  else for (const part of summary.missing) console.log(plain(`missing ${part.name}: ${part.error.message}`));
  return summary.state;
}

/** @throws with a sentence for people */
function assertRepairable(row: AssetRow): void {
  const { id, state, kind } = row;
  if (state !== 'ready' && state !== 'partial') throw new Error(`Asset ${id} is ${state}: nothing of it is published.`);
  if (kind === 'image') throw new Error(`Asset ${id} is an image: only video and sound can be repaired.`);
  if (!isRepairable(row)) throw new Error(`Asset ${id} plays what another asset of the same bytes made: reprocess it.`);
}

/** @throws with a sentence for people */
function named(row: AssetRow, names: readonly string[]): string[] {
  const parts = partsOf(row);
  return names.map((name) => {
    const part = parts.get(name);
    if (part === undefined)
      throw new Error(`Asset ${row.id} has no rendition ${name}: ${[...parts.keys()].join(', ')}.`);
    return part;
  });
}

async function followed(handle: WorkflowHandle, say: (line: string) => void): Promise<ProcessSummary> {
  const ended = new AbortController();
  const result = (handle.result() as Promise<ProcessSummary>).finally(() => ended.abort());
  const shown = show(handle, say, ended.signal);
  try {
    const summary = await result;
    await shown;
    say(`${summary.state}  ${summary.renditions.length} renditions`);
    return summary;
  } catch (error) {
    await shown;
    throw error instanceof WorkflowFailedError && error.cause ? error.cause : error;
  }
}

async function show(handle: WorkflowHandle, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      say(progressLine(await liveProgress(handle)));
    } catch (error) {
      // It does not answer before it has read its plan, nor while its worker starts again: it goes on without us.
      say(`asking again: ${(error as Error).message}`);
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}
