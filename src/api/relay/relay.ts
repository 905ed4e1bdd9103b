/**
 * The relay empties the outbox. Any number of them may run: a row belongs to whoever claimed it. Each kind has a loop
 * of its own, so that a system that is away holds up nothing of the others.
 */
import pLimit from 'p-limit';

import { claimOutbox, postponeOutbox, removeFromOutbox } from '../../catalogue/outbox.js';
import type { OutboxKind, OutboxPayloads } from '../../contracts/outbox.js';
import { metrics } from '../../metrics/index.js';
import type { EventProducer } from '../../messaging/messaging.js';
import type { ApiContext } from '../context.js';

export type RelayContext = Pick<ApiContext, 'config' | 'logger' | 'catalogue' | 'db' | 'store' | 'temporal'> & {
  /** Connects when first needed. */
  readonly producer: EventProducer;
};

/** Sends rows on, each at least once: what it does must be safe to repeat. */
export interface RelayHandler<K extends OutboxKind> {
  /** Rows at once. */
  readonly batch: number;
  /** Within `SEND_SECONDS`. Resolves with the outcome of each payload, in their order; never rejects. */
  send(
    context: RelayContext,
    payloads: readonly OutboxPayloads[K][],
  ): Promise<readonly PromiseSettledResult<unknown>[]>;
}

export type RelayHandlers = { readonly [K in OutboxKind]?: RelayHandler<K> };

/** For what goes out row by row. @param send rejects when the row is to be tried again later */
export function oneByOne<K extends OutboxKind>(
  concurrency: number,
  send: (context: RelayContext, payload: OutboxPayloads[K]) => Promise<unknown>,
): RelayHandler<K> {
  const limit = pLimit(concurrency);
  return {
    batch: concurrency * 4,
    send: (context, payloads) =>
      Promise.allSettled(payloads.map((payload) => limit(async () => send(context, payload)))),
  };
}

export interface Relay {
  /** Something was written: look now. */
  wake(): void;
  /** Resolves when nothing is on its way any more. */
  close(): Promise<void>;
}

/** What a relay that died had claimed is due again after so long; well above what any handler takes. */
const LEASE_SECONDS = 60;
/** What others wrote is seen after so long. Milliseconds. */
const POLL = 500;
export function startRelay(context: RelayContext, handlers: RelayHandlers): Relay {
  const loops = (Object.keys(handlers) as OutboxKind[]).map((kind) =>
    startLoop(context, kind, handlers[kind] as RelayHandler<OutboxKind>),
  );
  return {
    wake: () => loops.forEach((loop) => loop.wake()),
    close: async () => {
      await Promise.all(loops.map((loop) => loop.close()));
    },
  };
}

function startLoop(context: RelayContext, kind: OutboxKind, handler: RelayHandler<OutboxKind>): Relay {
  const { logger } = context;
  let closing = false;
  let wanted = true;
  let alarm = (): void => undefined;
  let troubled = false;

  const rest = (): Promise<void> =>
    new Promise((resolve) => {
      if (wanted || closing) return resolve();
      const timer = setTimeout(resolve, POLL);
      alarm = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const run = async (): Promise<void> => {
    while (!closing) {
      wanted = false;
      try {
        const full = await relayOnce(context, kind, handler);
        if (troubled) logger.info('relay: the catalogue is back', { kind });
        troubled = false;
        wanted ||= full;
      } catch (error) {
        // The database: what was claimed is due again when its lease is over.
        if (!troubled) logger.warn('relay: waiting for the catalogue', { kind, error });
        troubled = true;
      }
      await rest();
    }
  };
  const ended = run();
  return {
    wake() {
      wanted = true;
      alarm();
    },
    close() {
      closing = true;
      alarm();
      return ended;
    },
  };
}

/** @returns whether there may be more */
async function relayOnce<K extends OutboxKind>(
  context: RelayContext,
  kind: K,
  handler: RelayHandler<K>,
): Promise<boolean> {
  const { db, logger } = context;
  const rows = await claimOutbox(db, kind, handler.batch, LEASE_SECONDS);
  if (rows.length === 0) return false;
  const outcomes = await handler.send(
    context,
    rows.map(({ payload }) => payload),
  );
  const sent = rows.filter((_row, index) => outcomes[index]?.status === 'fulfilled');
  const failed = rows.filter((row) => !sent.includes(row));
  if (sent.length > 0) metrics.outboxSent.inc({ kind, outcome: 'sent' }, sent.length);
  if (failed.length > 0) metrics.outboxSent.inc({ kind, outcome: 'later' }, failed.length);
  await removeFromOutbox(
    db,
    sent.map(({ id }) => id),
  );
  const first = outcomes.find((outcome) => outcome.status === 'rejected');
  if (first) {
    logger.warn('relay: rows are tried again later', { kind, rows: failed.length, error: first.reason as unknown });
  }
  await postponeOutbox(
    db,
    failed.map(({ id }) => id),
  );
  return rows.length === handler.batch;
}
