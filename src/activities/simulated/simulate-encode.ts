/** A stand-in for an encoder: it takes its time, says how far it is, and goes on there when it was killed. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { EncodeTimes, SimulatedEncode } from '../../contracts/ingest.js';
import { parseHeartbeat } from '../../contracts/progress.js';
import type { ActivityContext } from '../context.js';
import { activity } from '../scope.js';

type Needs = Pick<ActivityContext, 'logger'>;

/** As often as a heartbeat can carry news. */
const TICK_MS = 250;

export function createSimulateEncode({ logger }: Needs) {
  return activity(logger, async (scope, { id, seconds }: SimulatedEncode): Promise<EncodeTimes> => {
    const { info, signal } = scope;
    const before = parseHeartbeat(info.heartbeatDetails);
    // An attempt that died before its first word began when it could have begun: a deadline counts from then.
    const firstStart = info.attempt === 1 ? Date.now() : info.scheduledTimestampMs;
    const startedAt = before?.startedAt ?? new Date(firstStart).toISOString();
    const total = seconds * 1000;
    const from = ((before?.percent ?? 0) / 100) * total;
    // By a clock that nobody sets.
    const began = performance.now();
    const position = (): number => Math.min(total, from + performance.now() - began);
    const report = (): void =>
      scope.report({
        step: 'encode',
        what: id,
        percent: total > 0 ? (position() / total) * 100 : 100,
        speed: 1,
        startedAt,
      });
    if (from > 0) scope.logger.info('goes on', { id, seconds: from / 1000 });
    for (report(); position() < total; report())
      await sleep(Math.min(TICK_MS, total - position()), undefined, { signal });
    return { startedAt, encodedAt: new Date().toISOString() };
  });
}
