/**
 * What concerns the whole system and no single process: how much is open, and which deadlines. Looked up by the
 * workers that run workflows when somebody reads their metrics; each of them tells the same.
 */
import type { Client } from '@temporalio/client';

import type { Database } from '../catalogue/database.js';
import { openDeadlines } from '../catalogue/open-deadlines.js';
import { openTemporal } from '../client/lazy-connection.js';
import type { Config } from '../config/schema.js';
import { SEARCH_ATTRIBUTES, WORKFLOW_TYPES } from '../contracts/names.js';
import { beforeScrape, metrics, STAGES } from '../metrics/index.js';

const DEADLINE = 2_500;

/** Connects when first asked. @returns ends it */
export function watchSystem({ temporal, queues }: Config, db: Database): () => Promise<void> {
  const client = openTemporal(temporal, 'worker:metrics');
  const stops = [
    beforeScrape('open-workflows', async () => {
      metrics.openWorkflows.clear();
      await tellOpen(client, queues.media);
    }),
    beforeScrape('deadlines', async () => {
      metrics.openDeadlines.clear();
      metrics.leastSlack.clear();
      const rows = await openDeadlines(db);
      for (const state of ['on-time', 'at-risk'] as const) {
        const row = rows.find((candidate) => candidate.state === state);
        metrics.openDeadlines.set({ state }, row?.assets ?? 0);
        if (row && row.leastSlack !== null) metrics.leastSlack.set({ state }, row.leastSlack);
      }
    }),
  ];
  return async () => {
    for (const stop of stops) stop();
    await client.connection.close();
  };
}

/** One question for each stage: Temporal groups by nothing but the status. */
async function tellOpen(client: Client, taskQueue: string): Promise<void> {
  const types = Object.values(WORKFLOW_TYPES).map((type) => `'${type}'`);
  const open = `WorkflowType IN (${types.join(', ')}) AND TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
  const count = async (query: string): Promise<number> => (await client.workflow.count(query)).count;
  const [all, ...each] = await client.withDeadline(Date.now() + DEADLINE, () =>
    Promise.all([count(open), ...STAGES.map((stage) => count(`${open} AND ${SEARCH_ATTRIBUTES.stage} = '${stage}'`))]),
  );
  for (const [index, stage] of STAGES.entries()) metrics.openWorkflows.set({ stage }, each[index]!);
  const known = each.reduce((sum, one) => sum + one, 0);
  metrics.openWorkflows.set({ stage: 'other' }, Math.max(0, all - known));
}
