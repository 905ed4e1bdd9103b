/** What happens to a batch of upload events. Knows nothing of Kafka, Temporal or the store but their ports. */
import { setTimeout as sleep } from 'node:timers/promises';

import pLimit from 'p-limit';

import { parseItemEvent, type IngestEventData, type ParsedItemEvent } from '../../contracts/ingest-event.js';
import { TRACE_HEADER } from '../../contracts/trace.js';
import { parseEvent, type EventSettings, type Refusal, type UploadEvent } from '../../contracts/events.js';
import type { Logger } from '../../logging/logger.js';
import { metrics } from '../../metrics/index.js';
import type { BatchVerdict, BrokerRecord, RecordBatch } from '../../messaging/messaging.js';
import { spanned } from '../../telemetry/index.js';
import type { Admission } from './admit.js';
import { Backoff } from './backoff.js';
import type { Verdict } from './blame.js';
import type { Gate } from './gate.js';
import { RecentStarts } from './recent-starts.js';

type Admitted = Admission & { readonly outcome: 'admitted' };

export type ItemStart =
  { readonly ok: true } | { readonly ok: false; readonly reason: Refusal; readonly detail: string };

export interface StarterPorts {
  admit(upload: UploadEvent): Promise<Admission>;
  start(admission: Admitted): Promise<void>;
  /** An item of an ingest: it waits for its turn in a line of its own, not in this queue. */
  startItem(data: IngestEventData): Promise<ItemStart>;
  /** Resolves when the dead-letter topic has it. */
  deadLetter(record: BrokerRecord, reason: Refusal, detail: string): Promise<void>;
  readonly gate: Gate;
  /** What a rejection of the others says. */
  judge(error: unknown): Verdict;
}

export interface StarterSettings extends EventSettings {
  /** Workflow starts at once, over all partitions. */
  readonly concurrency: number;
}

/**
 * Between the tries of an event that fails for a reason of its own; after the last one it is dead-lettered.
 * A bug does not go away by waiting: these only outlive a moment's mishap. Milliseconds.
 */
const OWN_RETRIES = [250, 1_000, 3_000];

/** With the gate closed, how long until it is asked again. Milliseconds. */
const FULL_PAUSE = 1_000;

/**
 * A batch handler that never throws. Every event ends in one of three ways: its workflows are started or there is
 * nothing to start, it is dead-lettered (both `done`), or it stays and comes again after a pause of its partition. The last is for
 * what is not the event's fault, and lasts as long as that does; everything else has an end.
 */
export function createBatchHandler(
  ports: StarterPorts,
  settings: StarterSettings,
  logger: Logger,
): (batch: RecordBatch) => Promise<BatchVerdict> {
  const starting = pLimit(settings.concurrency);
  // As many again are asking the store meanwhile: starts need not wait for that.
  const limit = pLimit(settings.concurrency * 2);
  // One for each partition: what only one event meets, and looks like an outage, holds up one partition.
  const backoffs = new Map<number, Backoff>();
  const backoffOf = ({ partition }: { readonly partition: number }): Backoff => {
    const backoff = backoffs.get(partition) ?? new Backoff();
    backoffs.set(partition, backoff);
    return backoff;
  };
  const recent = new RecentStarts();
  let fullUntil = 0;
  const pauseMs = (batch: RecordBatch): number => Math.max(backoffOf(batch).remaining(), fullUntil - Date.now(), 0);

  const settle = async (record: BrokerRecord, batch: RecordBatch): Promise<void> => {
    for (let failures = 0; !batch.signal.aborted && pauseMs(batch) === 0;) {
      try {
        const outcome = await traced(record, () => handle(record));
        if (outcome === 'full') return waitForPlaces();
        finish(record, batch);
        metrics.events.inc({ outcome });
        return;
      } catch (error) {
        const verdict = ports.judge(error);
        if (verdict.fault !== 'event') return pause(record, error, verdict);
        failures += 1;
        logger.error('the event can not be handled', { ...placeOf(record), failures, error });
        const delay = OWN_RETRIES[failures - 1];
        if (delay === undefined) return giveUp(record, batch, error);
        await sleep(delay, undefined, { signal: batch.signal }).catch(() => undefined);
      }
    }
  };

  const waitForPlaces = (): void => {
    if (fullUntil < Date.now()) metrics.eventPauses.inc({ reason: 'full' });
    if (fullUntil < Date.now()) logger.info('paused: as many workflows are open as starter.maxOpenWorkflows allows');
    fullUntil = Date.now() + FULL_PAUSE;
  };

  const finish = (record: BrokerRecord, batch: RecordBatch): void => {
    batch.done(record);
    if (backoffOf(batch).succeeded()) logger.info('resumed: starting workflows again', { partition: batch.partition });
  };

  const pause = (record: BrokerRecord, error: unknown, { fault, advice }: Verdict): void => {
    const pauseMs = backoffOf(record).failed();
    if (pauseMs === undefined) return;
    metrics.eventPauses.inc({ reason: fault === 'setup' ? 'setup' : 'outage' });
    const level = fault === 'setup' ? 'error' : 'warn';
    logger[level]('paused: the event is tried again later', { advice, ...placeOf(record), pauseMs, error });
  };

  /** Replayable, and the rest of its partition goes on. */
  const giveUp = async (record: BrokerRecord, batch: RecordBatch, reason: unknown): Promise<void> => {
    try {
      await bury(record, 'INTERNAL', String(reason).slice(0, 200));
      finish(record, batch);
      metrics.events.inc({ outcome: 'dead-letter' });
    } catch (error) {
      // It has nowhere to go: whatever this says, it stays.
      pause(record, error, { fault: 'outage' });
    }
  };

  const bury = async (record: BrokerRecord, reason: Refusal, detail: string): Promise<void> => {
    await ports.deadLetter(record, reason, detail);
    metrics.deadLetters.inc({ reason });
    logger.warn('event dead-lettered', { ...placeOf(record), reason, detail });
  };

  const handleItem = async (record: BrokerRecord, event: ParsedItemEvent): Promise<'started' | 'dead-letter'> => {
    const started = event.ok ? await starting(() => ports.startItem(event.data)) : event;
    if (started.ok) return 'started';
    await bury(record, started.reason, started.detail);
    return 'dead-letter';
  };

  const handle = async (record: BrokerRecord): Promise<'started' | 'nothing' | 'dead-letter' | 'full'> => {
    const item = parseItemEvent(record.value, settings.maxEventBytes);
    if (item) return handleItem(record, item);
    const event = parseEvent(record.key, record.value, settings);
    let hasStarted = false;
    let refused: { reason: Refusal; detail: string } | undefined = event.ok ? undefined : event;
    for (const upload of event.uploads) {
      hasStarted ||= recent.has(upload);
      if (recent.has(upload)) continue;
      // Before the store is asked: so places go to events in their order, and what waits behind a full
      // gate is a tail that has not been touched.
      if (!(await ports.gate.enter())) return 'full';
      const admission = await ports.admit(upload).catch((error: unknown) => {
        ports.gate.leave();
        throw error;
      });
      if (admission.outcome !== 'admitted') {
        ports.gate.leave();
        if (admission.outcome === 'refused') refused ??= admission;
        else logger.info('nothing to start', { ...placeOf(record), key: upload.key, reason: admission.reason });
        continue;
      }
      await starting(() => ports.start(admission));
      recent.add(upload, admission.job.source);
      hasStarted = true;
      const { assetId, workflowId } = admission.job;
      logger.debug('workflow started', { assetId, workflowId });
    }
    if (refused) await bury(record, refused.reason, refused.detail);
    if (refused) return 'dead-letter';
    return hasStarted ? 'started' : 'nothing';
  };

  return async (batch) => {
    await Promise.all(batch.records.map((record) => limit(settle, record, batch)));
    return { pauseMs: pauseMs(batch) };
  };
}

/** A producer that traces says so in the record; else its trace begins here. */
const traced = <T>(record: BrokerRecord, work: () => Promise<T>): Promise<T> =>
  spanned(
    `process ${record.topic}`,
    {
      kind: 'CONSUMER',
      parent: record.headers[TRACE_HEADER],
      attributes: {
        'messaging.system': 'kafka',
        'messaging.destination.name': record.topic,
        'messaging.destination.partition.id': `${record.partition}`,
        'messaging.kafka.offset': Number(record.offset),
      },
    },
    work,
  );

const placeOf = ({ topic, partition, offset }: BrokerRecord) => ({ topic, partition, offset });
