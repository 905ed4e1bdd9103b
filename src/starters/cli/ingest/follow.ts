/** Waits for the end of an item, through outages. */
import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowFailedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import { itemOutcome } from '../../../client/ingest.js';
import { ERRORS, type PublicError } from '../../../contracts/errors.js';
import type { IngestItem, ItemOutcome } from '../../../contracts/ingest.js';
import { patiently } from './patiently.js';

/** An event that has started nothing for so long lies in the dead-letter topic, or nobody reads the topic. */
const EVENT_MS = 600_000;
const POLL_MS = 500;

const nothing = (error: PublicError): ItemOutcome => ({ encoded: false, published: false, wasAtRisk: false, error });

/** @param say told why nothing happens. @throws the signal's reason when it is aborted */
export async function followItem(
  client: Client,
  item: Pick<IngestItem, 'ingest' | 'id'>,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<ItemOutcome> {
  const patience = Date.now() + EVENT_MS;
  for (;;) {
    try {
      return await patiently(() => itemOutcome(client, item), signal, say, isTemporary);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof WorkflowFailedError) return nothing(reasonOf(error));
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      if (Date.now() > patience) return nothing({ code: 'INTERNAL', message: 'Nothing came of its event.' });
      await sleep(POLL_MS, undefined, { signal });
    }
  }
}

/** Whatever a server that goes and comes says: the item is at work without us. */
const isTemporary = (error: unknown): boolean =>
  !(error instanceof WorkflowFailedError) && !(error instanceof WorkflowNotFoundError);

/** Somebody cancelled or ended it, or it met a bug: what happens to an item is part of its result. */
function reasonOf({ cause }: WorkflowFailedError): PublicError {
  const code = cause instanceof ApplicationFailure ? 'INTERNAL' : 'CANCELLED';
  return { code, message: ERRORS[code].sentence };
}
