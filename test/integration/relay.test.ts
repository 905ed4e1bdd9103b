/** Several relays on one outbox, on a real database. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import { oneByOne, startRelay, type Relay, type RelayContext } from '../../src/api/relay/relay.js';
import { openContext, type OpenContext } from '../../src/api/open-context.js';
import { countOutbox, enqueue } from '../../src/catalogue/outbox.js';
import { createLogger } from '../../src/logging/index.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(120_000);

const ROWS = 300;

const stack = useStack();
let context: OpenContext;
let relays: Relay[] = [];

beforeAll(async () => {
  const config = await stack.isolated({ database: true });
  context = openContext(config, createLogger({ ...config.log, level: 'error' }), 'test');
}, 180_000);
afterAll(async () => {
  await Promise.all(relays.map((relay) => relay.close()));
  await context?.close();
});

test('three relays send each row once, in the face of failures too, and none is left', async () => {
  const { ctx } = context;
  const sent = new Map<string, number>();
  const tried = new Set<string>();
  // Nothing here sends events; whoever tried to would fail at once.
  const producer = { send: () => Promise.reject(new Error('no events here')), close: () => Promise.resolve() };
  const relayContext: RelayContext = { ...ctx, producer };
  const handlers = {
    document: oneByOne<'document'>(4, async (_context, { assetId }) => {
      // Every third one fails at its first try.
      if (!tried.has(assetId) && Number.parseInt(assetId, 10) % 3 === 0) {
        tried.add(assetId);
        throw new Error('the other side is away');
      }
      sent.set(assetId, (sent.get(assetId) ?? 0) + 1);
    }),
  };
  relays = [1, 2, 3].map(() => startRelay(relayContext, handlers));
  await Promise.all(
    Array.from({ length: ROWS }, async (_, i) => {
      await enqueue(ctx.db, 'document', { assetId: `${i}-${randomUUID()}` });
      relays[i % relays.length]!.wake();
    }),
  );
  await until('the outbox is empty', async () => ((await countOutbox(ctx.db)).document ?? 0) === 0, 60_000);
  expect(sent.size).toBe(ROWS);
  expect([...sent.values()].every((times) => times === 1)).toBe(true);
  expect(tried.size).toBe(ROWS / 3);
});
