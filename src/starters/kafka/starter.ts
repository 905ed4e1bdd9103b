/** What happens to a batch of upload events. Knows nothing of Kafka, Temporal or the store but their ports. */
import pLimit from 'p-limit';

import type { Job } from '../../contracts/assets.js';
import { parseEvent, type EventSettings, type Refusal, type UploadEvent } from '../../contracts/events.js';
import type { Logger } from '../../logging/logger.js';
import type { BatchVerdict, BrokerRecord, RecordBatch } from '../../messaging/messaging.js';
import type { Admission } from './admit.js';
import { Backoff } from './backoff.js';
import type { Gate } from './gate.js';

/** All of these reject when their service can't do it now; the event is then tried again later. */
export interface StarterPorts {
  admit(upload: UploadEvent): Promise<Admission>;
  start(job: Job, contentType: string | undefined): Promise<void>;
  /** Resolves when the dead-letter topic has it. */
  deadLetter(record: BrokerRecord, reason: Refusal, detail: string): Promise<void>;
  readonly gate: Gate;
}

export interface StarterSettings extends EventSettings {
  /** Workflow starts at once, over all partitions. */
  readonly concurrency: number;
}

/** With the gate closed, how long until it is asked again. Milliseconds. */
const FULL_PAUSE = 1_000;

/**
 * A batch handler that never throws. Every event ends in one of three ways: its workflows are started,
 * it is dead-lettered (both `done`), or it stays and comes again after a pause of its partition.
 */
export function createBatchHandler(
  ports: StarterPorts,
  settings: StarterSettings,
  logger: Logger,
): (batch: RecordBatch) => Promise<BatchVerdict> {
  const starting = pLimit(settings.concurrency);
  // As many again are asking the store meanwhile: starts need not wait for that.
  const limit = pLimit(settings.concurrency * 2);
  // One for all partitions: they share the services that are in trouble.
  const backoff = new Backoff();
  let fullUntil = 0;
  const pauseMs = (): number => Math.max(backoff.remaining(), fullUntil - Date.now(), 0);

  const settle = async (record: BrokerRecord, batch: RecordBatch): Promise<void> => {
    if (batch.signal.aborted || pauseMs() > 0) return;
    try {
      if ((await handle(record)) === 'full') {
        if (fullUntil < Date.now())
          logger.info('paused: as many workflows are open as starter.maxOpenWorkflows allows');
        fullUntil = Date.now() + FULL_PAUSE;
        return;
      }
      batch.done(record);
      if (backoff.succeeded()) logger.info('resumed: starting workflows again');
    } catch (error) {
      const pause = backoff.failed();
      if (pause === undefined) return;
      const { topic, partition, offset } = record;
      logger.warn('paused: the event is tried again later', { topic, partition, offset, pauseMs: pause, error });
    }
  };

  const handle = async (record: BrokerRecord): Promise<'done' | 'full'> => {
    const event = parseEvent(record.key, record.value, settings);
    let refused: { reason: Refusal; detail: string } | undefined = event.ok ? undefined : event;
    for (const upload of event.uploads) {
      // Before the store is asked: so places go to events in their order, and what waits behind a full
      // gate is a tail that has not been touched.
      if (!(await ports.gate.enter())) return 'full';
      const admission = await ports.admit(upload);
      if (admission.outcome === 'refused') {
        ports.gate.leave();
        refused ??= admission;
        continue;
      }
      await starting(() => ports.start(admission.job, admission.contentType));
      const { assetId, workflowId } = admission.job;
      logger.debug('workflow started', { assetId, workflowId });
    }
    if (refused) {
      await ports.deadLetter(record, refused.reason, refused.detail);
      const { topic, partition, offset } = record;
      logger.warn('event dead-lettered', { topic, partition, offset, reason: refused.reason, detail: refused.detail });
    }
    return 'done';
  };

  return async (batch) => {
    await Promise.all(batch.records.map((record) => limit(settle, record, batch)));
    return { pauseMs: pauseMs() };
  };
}
