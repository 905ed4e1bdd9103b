/** Items of an ingest and the places at its encoders. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import { lineStatus, setEncoders, startItem } from '../../src/client/ingest.js';
import type { DeliveryRequest, PublishActivities, ReservationActivities } from '../../src/contracts/activities.js';
import {
  itemWorkflowIdOf,
  slotsWorkflowIdOf,
  type IngestActivities,
  type IngestItem,
  type ItemOutcome,
} from '../../src/contracts/ingest.js';
import { itemOf, type IngestLine } from '../../src/contracts/ingest-line.js';
import type { QueueNames } from '../../src/contracts/names.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { whileRunning } from '../support/while-running.js';
import { bundled } from './support.js';

type Scripted = Partial<IngestActivities & ReservationActivities & Pick<PublishActivities, 'deliver'>>;

const stack = useStack();
let native: NativeConnection;
let client: OpenClient;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const { temporal } = stack.config;
  native = await NativeConnection.connect({ address: temporal.address });
  client = await connectTemporal(temporal);
}, 60_000);
afterAll(async () => {
  await client?.close();
  await native?.close();
});

const now = (): string => new Date().toISOString();

interface Line {
  readonly ingest: string;
  readonly queues: QueueNames;
  submit(id: string, line: IngestLine): Promise<WorkflowHandle>;
  readonly log: readonly string[];
}

/** An ingest of its own with workers for it; what its steps did is in the log. */
async function withLine<T>(
  encoders: number,
  scripted: Scripted,
  use: (line: Line) => Promise<T>,
  log: string[] = [],
): Promise<T> {
  const queue = `ingest-${randomUUID()}`;
  const ingest = queue.slice(0, 20);
  const queues: QueueNames = { media: queue, video: queue, videoUrgent: queue, image: queue, publish: queue };
  const well: Required<Pick<Scripted, 'simulateEncode' | 'reservePublisher' | 'releasePublisher' | 'deliver'>> = {
    simulateEncode: async ({ id }) => {
      log.push(`begin ${id}`);
      const startedAt = now();
      await sleep(30);
      log.push(`end ${id}`);
      return { startedAt, encodedAt: now() };
    },
    reservePublisher: async ({ id }) => {
      log.push(`reserve ${id.split('/').at(-1)}`);
      return { id, queue };
    },
    releasePublisher: async ({ id }) => void log.push(`release ${id.split('/').at(-1)}`),
    deliver: async ({ assetId, target }) => {
      log.push(`deliver ${assetId}`);
      return { target, at: now(), waitedSeconds: 0 };
    },
  };
  const worker = await Worker.create({
    connection: native,
    namespace: stack.config.temporal.namespace,
    taskQueue: queue,
    ...bundled,
    activities: { ...well, ...scripted },
    shutdownForceTime: '2s',
  });
  const line: Line = {
    ...{ ingest, queues, log },
    async submit(id, fields) {
      const item: IngestItem = itemOf(fields, id, { ingest, tenant: 'acme', target: 'playout' });
      await startItem(client.temporal, item, queues);
      return client.temporal.workflow.getHandle(itemWorkflowIdOf(item));
    },
  };
  return whileRunning(worker, async () => {
    await setEncoders(client.temporal, ingest, encoders, queues);
    try {
      return await use(line);
    } finally {
      await client.temporal.workflow.getHandle(slotsWorkflowIdOf(ingest)).terminate();
    }
  });
}

const outcomes = (handles: readonly WorkflowHandle[]): Promise<ItemOutcome[]> =>
  Promise.all(handles.map((handle) => handle.result() as Promise<ItemOutcome>));

test('never more encode at once than there are encoders, each with a publisher promised before, and all are published', async () => {
  const log: string[] = [];
  let open = (): void => undefined;
  const threeEncode = new Promise<void>((resolve) => (open = resolve));
  // None ends before as many encode as there are places, however slow the machine is.
  const simulateEncode: IngestActivities['simulateEncode'] = async ({ id }) => {
    log.push(`begin ${id}`);
    const startedAt = now();
    if (log.filter((entry) => entry.startsWith('begin')).length === 3) open();
    await threeEncode;
    await sleep(30);
    log.push(`end ${id}`);
    return { startedAt, encodedAt: now() };
  };
  const use = async ({ submit }: Line): Promise<void> => {
    const handles = [];
    for (let n = 0; n < 12; n++) handles.push(await submit(`i${n}`, { encodingTime: 1, publicationTimeout: 60 }));
    for (const outcome of await outcomes(handles))
      expect(outcome).toMatchObject({ encoded: true, published: true, wasAtRisk: false });
    let [running, most] = [0, 0];
    for (const entry of log) {
      if (entry.startsWith('begin')) running += 1;
      if (entry.startsWith('end')) running -= 1;
      most = Math.max(most, running);
    }
    expect(most).toBe(3);
    for (let n = 0; n < 12; n++) {
      const own = log.filter((entry) => entry.endsWith(` i${n}`));
      expect(own).toEqual([`reserve i${n}`, `begin i${n}`, `end i${n}`, `deliver i${n}`]);
    }
  };
  await withLine(3, { simulateEncode }, use, log);
}, 120_000);

test('an item is begun once, however often it is submitted', async () => {
  await withLine(2, {}, async ({ submit, log }) => {
    const first = await submit('once', { encodingTime: 1 });
    await submit('once', { encodingTime: 1 });
    await first.result();
    await submit('once', { encodingTime: 1 });
    await outcomes([await submit('other', { encodingTime: 1 })]);
    expect(log.filter((entry) => entry === 'begin once')).toHaveLength(1);
  });
}, 60_000);

test('whoever must begin first goes first; what can not be in time is said to be at risk, and made all the same', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const simulateEncode: IngestActivities['simulateEncode'] = async ({ id }) => {
    order.push(id);
    if (id === 'first') await gate;
    return { startedAt: now(), encodedAt: now() };
  };
  const order: string[] = [];
  await withLine(1, { simulateEncode }, async ({ submit, ingest }) => {
    const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    const handles = [await submit('first', { encodingTime: 1 })];
    await until('the first encodes', () => order.length === 1, 20_000);
    handles.push(await submit('can-wait', { encodingTime: 1, publicationTimeout: 3 }));
    handles.push(await submit('in-an-hour', { encodingTime: 1, publishBy: inSeconds(3600) }));
    handles.push(await submit('in-a-minute', { encodingTime: 1, publishBy: inSeconds(60) }));
    handles.push(await submit('too-late', { encodingTime: 9, publishBy: inSeconds(-5) }));
    await until('all wait', async () => (await lineStatus(client.temporal, ingest)).waiting === 4, 20_000);
    expect(await lineStatus(client.temporal, ingest)).toEqual({ encoders: 1, waiting: 4, encoding: 1, atRisk: 1 });
    open();
    const ended = await outcomes(handles);
    expect(order).toEqual(['first', 'too-late', 'in-a-minute', 'in-an-hour', 'can-wait']);
    expect(ended.map(({ published }) => published)).toEqual([true, true, true, true, true]);
    expect(ended.map(({ wasAtRisk }) => wasAtRisk)).toEqual([false, false, false, false, true]);
  });
}, 60_000);

test('where the keeper of a promise is gone, any other publisher delivers', async () => {
  const reservePublisher: ReservationActivities['reservePublisher'] = async ({ id }) => ({ id, queue: 'of-the-dead' });
  const requests: DeliveryRequest[] = [];
  const deliver: PublishActivities['deliver'] = async (request) => {
    requests.push(request);
    return { target: request.target, at: now(), waitedSeconds: 0 };
  };
  await withLine(1, { reservePublisher, deliver }, async ({ submit }) => {
    const [outcome] = await outcomes([await submit('a', { encodingTime: 1, publicationTimeout: 30 })]);
    expect(outcome).toMatchObject({ encoded: true, published: true });
    expect(requests).toHaveLength(1);
  });
}, 60_000);

test('the place of an item that somebody ended is another one’s', async () => {
  const begun: string[] = [];
  const simulateEncode: IngestActivities['simulateEncode'] = async ({ id }) => {
    begun.push(id);
    const beating = setInterval(() => Context.current().heartbeat(), 200);
    try {
      if (id === 'ended') await Context.current().cancelled;
    } finally {
      clearInterval(beating);
    }
    return { startedAt: now(), encodedAt: now() };
  };
  await withLine(1, { simulateEncode }, async ({ submit }) => {
    const ended = await submit('ended', { encodingTime: 1 });
    await until('it encodes', () => begun.length === 1, 20_000);
    const next = await submit('next', { encodingTime: 1 });
    await ended.terminate();
    expect(await outcomes([next])).toEqual([expect.objectContaining({ published: true })]);
  });
}, 120_000);

test('an item that is cancelled while it encodes gives back its publisher and its place', async () => {
  let isCancelled = false;
  const begun: string[] = [];
  const simulateEncode: IngestActivities['simulateEncode'] = async ({ id }) => {
    begun.push(id);
    const context = Context.current();
    const beating = setInterval(() => context.heartbeat(), 100);
    try {
      if (id === 'cancelled') await context.cancelled;
    } finally {
      clearInterval(beating);
    }
    return { startedAt: now(), encodedAt: now() };
  };
  await withLine(1, { simulateEncode }, async ({ submit, log }) => {
    const handle = await submit('cancelled', { encodingTime: 1, publicationTimeout: 60 });
    await until('it encodes', () => begun.length === 1, 20_000);
    await handle.cancel();
    await handle.result().catch(() => (isCancelled = true));
    expect(isCancelled).toBe(true);
    expect(log).toContain('release cancelled');
    expect(await outcomes([await submit('next', { encodingTime: 1 })])).toEqual([
      expect.objectContaining({ published: true }),
    ]);
  });
}, 60_000);

test('an embargo ends to the second; a target that refuses for good is no end of the account', async () => {
  const deliver: PublishActivities['deliver'] = async ({ assetId, target }) => {
    if (assetId === 'refused')
      throw ApplicationFailure.nonRetryable('The target does not take it.', 'TARGET_UNAVAILABLE');
    return { target, at: now(), waitedSeconds: 0 };
  };
  await withLine(2, { deliver }, async ({ submit }) => {
    const publishNotBefore = new Date(Date.now() + 4_000).toISOString();
    const handles = [
      await submit('embargoed', { encodingTime: 1, publishNotBefore }),
      await submit('refused', { encodingTime: 1, publicationTimeout: 60 }),
    ];
    const [embargoed, refused] = await outcomes(handles);
    const late = Date.parse(embargoed!.publishedAt!) - Date.parse(publishNotBefore);
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(1000);
    expect(refused).toMatchObject({ encoded: true, published: false, error: { code: 'TARGET_UNAVAILABLE' } });
  });
}, 60_000);
