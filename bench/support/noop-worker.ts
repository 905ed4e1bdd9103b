/** Workers for `noop`, as our own are: both queues in one process. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

const [address, queue] = process.argv.slice(2) as [string, string];
Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address });
const workers = await Promise.all([
  Worker.create({
    connection,
    taskQueue: queue,
    workflowsPath: fileURLToPath(new URL('noop-workflow.ts', import.meta.url)),
  }),
  Worker.create({
    connection,
    taskQueue: `${queue}-image`,
    activities: { nothing: () => Promise.resolve() },
    maxConcurrentActivityTaskExecutions: availableParallelism(),
  }),
]);
process.once('SIGTERM', () => workers.forEach((worker) => worker.shutdown()));
console.log('worker ready');
await Promise.all(workers.map((worker) => worker.run()));
await connection.close();
