/** How each kind of row in the outbox leaves. */
import { relayDelete } from './delete.js';
import { relayDocument } from './document.js';
import { oneByOne, type RelayHandlers } from './relay.js';
import { relayStart } from './start.js';
import { relayUploads } from './upload.js';
import { relayWebhook } from './webhook.js';

export const RELAY_HANDLERS: RelayHandlers = {
  upload: relayUploads,
  start: oneByOne(16, relayStart),
  delete: oneByOne(16, relayDelete),
  document: oneByOne(8, relayDocument),
  webhook: oneByOne(16, relayWebhook),
};
