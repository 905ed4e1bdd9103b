/**
 * `npm run bench:start`: how long an upload waits before its work begins, on an idle stack: from the end of the
 * put until Temporal has the workflow, and from there until a 1.2-megapixel photo is `ready`. Medians, milliseconds.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { makePhoto } from '../src/local/samples.js';
import { withSession, type Session } from '../src/starters/cli/session.js';
import { follow } from '../src/starters/cli/follow.js';
import { upload } from '../src/starters/cli/upload.js';
import { ownTenant } from './support/anew.js';
import { withBenchStack } from './support/stack.js';

const ROUNDS = Number(process.argv[2] ?? 10);

async function once(session: Session, file: string): Promise<{ toStart: number; toReady: number }> {
  const one = await upload(session, file, { tenant: ownTenant() });
  const arrived = Date.now();
  const [outcome] = await follow(session, [one], () => undefined);
  const { startTime } = await session.temporal.workflow.getHandle(one.workflowId).describe();
  const { state, timings } = outcome?.document ?? {};
  if (state !== 'ready' || !timings?.readyAt) throw new Error(`ended as ${state}`);
  return { toStart: startTime.getTime() - arrived, toReady: Date.parse(timings.readyAt) - startTime.getTime() };
}

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const line = (what: string, values: readonly number[]): string =>
  `${what}: median ${sorted(values)[Math.floor(values.length / 2)]} ms, all ${sorted(values).join(' ')}`;

await withBenchStack(async ({ config, dir }) => {
  const file = await makePhoto(join(dir, 'photo.jpg'), 1280, 960);
  await withSession(config, async (session) => {
    // The first one warms connections and processes up, and is not counted.
    await once(session, file);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await sleep(700);
      rounds.push(await once(session, file));
    }
    console.log(line('put to workflow start', rounds.map(({ toStart }) => toStart))); // prettier-ignore
    console.log(line('workflow start to ready', rounds.map(({ toReady }) => toReady))); // prettier-ignore
  });
});
