/** Process entry: reads upload events from Kafka and starts workflows until a signal stops it. */
import type { Client } from '@temporalio/client';

import { connect } from '../../catalogue/database.js';
import { startItem } from '../../client/ingest.js';
import { openTemporal } from '../../client/lazy-connection.js';
import { guessKind, planStart, startWorkflow } from '../../client/start.js';
import { loadConfig } from '../../config/index.js';
import type { Config } from '../../config/schema.js';
import { WORKFLOW_TYPES } from '../../contracts/names.js';
import { createLogger } from '../../logging/index.js';
import type { Logger } from '../../logging/logger.js';
import { metrics, serveMetrics } from '../../metrics/index.js';
import { createDeadLetterSink } from '../../messaging/dead-letter-sink.js';
import { createAdmin, createConsumer, createProducer } from '../../messaging/kafka.js';
import { createObjectStore } from '../../storage/index.js';
import { startTelemetry } from '../../telemetry/index.js';
import { admitItem } from './admit-item.js';
import { blame } from './blame.js';
import { createGate } from './gate.js';
import { admitKnown } from './known.js';
import { watchLag } from './lag.js';
import { createBatchHandler, type StarterPorts } from './starter.js';

/** Running starts end within their deadline; what takes longer is redelivered. Milliseconds. */
const STOP_LIMIT = 12_000;
const COUNT_DEADLINE = 4_000;

const config = loadConfig();
const logger = createLogger(config.log, { process: 'starter:kafka' });
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());

let exitCode = 0;
try {
  await serve(config, logger, stop.signal);
  logger.info('stopped');
} catch (error) {
  // The offsets of what is done are committed, the rest comes again: starting anew is always safe.
  logger.error('starter failed', { error });
  exitCode = 1;
}
await logger.flush();
// A socket that does not let go must not keep a process without a consumer alive.
process.exit(exitCode);

/** Resolves after a clean stop; rejects when the consumer has given up. */
async function serve(config: Config, logger: Logger, signal: AbortSignal): Promise<void> {
  const telemetry = await startTelemetry('starter:kafka', logger);
  const closers = [() => telemetry.close()];
  try {
    const { kafka } = config;
    const admin = await createAdmin(kafka, logger);
    await admin.ensureTopics([kafka.uploadsTopic, kafka.dlqTopic, kafka.resultsTopic], kafka.partitions);
    await admin.close();

    const page = await serveMetrics({ kind: 'kafka', metrics: config.metrics }, logger);
    closers.push(() => page.close());
    const producer = await createProducer(kafka, logger);
    closers.push(() => producer.close());
    const client = openTemporal(config.temporal, 'starter:kafka');
    closers.push(() => client.connection.close());
    const store = createObjectStore(config.storage);
    const db = connect(config.catalogue);
    closers.push(() => db.destroy());
    const ports: StarterPorts = {
      admit: (upload) => admitKnown({ db, store, config }, upload),
      start: ({ job, contentType, fileName }) => {
        const kind = guessKind(contentType, fileName ?? job.source.key);
        metrics.starts.inc({ kind: kind === 'image' ? 'image' : 'video' });
        return startWorkflow(client, planStart(job, contentType, config.queues, kind, fileName));
      },
      startItem: async (data) => {
        const admitted = await admitItem(data, store, config.starter);
        if (admitted.ok) await startItem(client, admitted.item, config.queues);
        return admitted;
      },
      deadLetter: createDeadLetterSink(producer, kafka.dlqTopic),
      gate: createGate(config.starter.maxOpenWorkflows, () => countOpen(client, config.queues.media)),
      judge: blame,
    };
    const { uploadsBucket, uploadsPrefix, mediaBucket } = config.storage;
    const settings = { ...config.starter, uploadsBucket, uploadsPrefix, mediaBucket };
    const consumer = await createConsumer(
      kafka,
      logger,
      kafka.uploadsTopic,
      createBatchHandler(ports, settings, logger),
    );
    closers.push(() => consumer.close());
    closers.push(watchLag(kafka, logger));
    logger.info('starter ready', { topic: kafka.uploadsTopic, group: kafka.groupId });
    // For a supervisor that waits for it, as `mediamill up` does.
    process.send?.('ready');

    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([stopped, consumer.crashed]);
  } finally {
    const giveUp = setTimeout(() => {
      logger.warn('stopping took too long');
      process.exit(1);
    }, STOP_LIMIT);
    for (const closer of closers.reverse()) await closer();
    clearTimeout(giveUp);
  }
}

async function countOpen(client: Client, taskQueue: string): Promise<number> {
  const types = Object.values(WORKFLOW_TYPES).map((type) => `'${type}'`);
  const query = `WorkflowType IN (${types.join(', ')}) AND TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
  const { count } = await client.withDeadline(Date.now() + COUNT_DEADLINE, () => client.workflow.count(query));
  return count;
}
