/** Runs workers of one or more roles in this process until a signal drains them. */
import { fileURLToPath } from 'node:url';

import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';

import { connectTemporal } from '../client/connection.js';
import { dataConverterOf } from '../client/encryption.js';
import { ensureHousekeeping } from '../client/housekeeping.js';
import { loadConfig } from '../config/index.js';
import type { Config } from '../config/schema.js';
import { createLogger, temporalLogger } from '../logging/index.js';
import type { Logger } from '../logging/logger.js';
import { serveMetrics } from '../metrics/index.js';
import { temporalMetrics } from '../metrics/temporal.js';
import { startTelemetry, tracedSteps, workflowSpans } from '../telemetry/index.js';
import { openContext } from './context.js';
import { measured } from './measure.js';
import { activitiesOf, planRole, type Pool, type Role } from './roles.js';
import { runToEnd } from './run-to-end.js';
import { watchSystem } from './watch-system.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Made by `scripts/build.mjs`, the interceptor `workflows/tracing.ts` with it. */
const WORKFLOWS = here('../workflow-bundle/bundle.js');

/** Server-side cancels arrive in heartbeat replies: the throttle bounds how late an activity hears of one. */
const HEARTBEAT_THROTTLE = '1s';

/**
 * The process ends with 0 after a drain and with 1 when a worker gave up.
 *
 * A drain: no new tasks are taken; steps that end within the grace time end; the others are asked
 * to checkpoint and hand over; what still runs after the force time is left to the heartbeat timeout.
 */
export async function runWorkers(roles: readonly Role[]): Promise<void> {
  const config = loadConfig();
  const logger = createLogger(config.log, { process: `worker:${roles.join('+')}` });
  try {
    await serve(roles, config, logger);
    logger.info('drained');
  } catch (error) {
    logger.error('worker failed', { error });
    process.exitCode = 1;
  }
  await logger.flush();
  // A child or a socket that does not let go must not keep a drained worker alive.
  process.exit();
}

async function serve(roles: readonly Role[], config: Config, logger: Logger): Promise<void> {
  const telemetry = await startTelemetry(`worker:${roles.join('+')}`, logger);
  const temporal = await temporalMetrics();
  Runtime.install({
    logger: temporalLogger(logger),
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'WARN' } },
      metrics: temporal.exporter,
    },
  });
  const page = await serveMetrics({ kind: 'worker', metrics: config.metrics, beside: temporal.read }, logger);
  const { connectionOptions } = loadClientConnectConfig();
  const connection = await NativeConnection.connect({ ...connectionOptions, address: config.temporal.address });
  const needsTools = roles.some((role) => planRole(role, config).needsTools);
  const context = await openContext(config, logger, { tools: needsTools });
  const closers = [() => telemetry.close(), () => page.close(), () => connection.close(), () => context.close()];
  try {
    const workers: Worker[] = [];
    for (const role of roles) {
      const activities = activitiesOf(role, context.activities);
      for (const pool of planRole(role, config).pools)
        workers.push(await Worker.create(optionsOf(pool, config, connection, activities)));
    }
    if (roles.includes('media')) await schedule(config, logger);
    if (roles.includes('publish')) context.activities.targets.warm();
    if (roles.includes('media')) closers.push(watchSystem(config, context.activities.db));
    logger.info('worker ready', { queues: workers.map((worker) => worker.options.taskQueue) });
    // For a supervisor that waits for it, as `mediamill up` does.
    process.send?.('ready');
    await untilAllEnd(workers);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** By those who do the work, so that whoever has no such worker has no such schedule. */
async function schedule({ temporal, queues, retention }: Config, logger: Logger): Promise<void> {
  const client = await connectTemporal(temporal);
  try {
    await ensureHousekeeping(client.temporal, queues, retention.sweepMinutes);
  } catch (error) {
    // All else can be done without it.
    logger.error('no housekeeping: its schedule can not be made', { error });
  } finally {
    await client.close();
  }
}

function optionsOf(pool: Pool, config: Config, connection: NativeConnection, activities: object): WorkerOptions {
  return {
    connection,
    namespace: config.temporal.namespace,
    dataConverter: dataConverterOf(config.temporal.encryptionKeys),
    taskQueue: pool.taskQueue,
    activities,
    interceptors: { activity: [measured(pool.taskQueue, config.queues), tracedSteps] },
    sinks: workflowSpans,
    maxConcurrentActivityTaskExecutions: pool.concurrency,
    shutdownGraceTime: `${config.workers.graceSeconds}s`,
    shutdownForceTime: `${config.workers.forceSeconds}s`,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    ...(pool.runsWorkflows && { workflowBundle: { codePath: WORKFLOWS } }),
  };
}

/** When one worker gives up its siblings drain too: half a process would look healthy. */
async function untilAllEnd(workers: readonly Worker[]): Promise<void> {
  const runs = workers.map(runToEnd);
  try {
    await Promise.all(runs);
  } catch (error) {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.allSettled(runs);
    throw error;
  }
}
