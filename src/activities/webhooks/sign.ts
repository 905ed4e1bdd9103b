/** Standard Webhooks 1.0: who sent it, unchanged, and when. */
import { createHmac } from 'node:crypto';

import type { EndpointSecret } from '../../catalogue/webhook-endpoints.js';

const SECRET_PREFIX = 'whsec_';

/**
 * Headers of one request. Every secret that still holds signs: a receiver that was not given the new one yet
 * finds a signature of the old one.
 *
 * @param body exactly as it is sent
 */
export function signatureHeaders(
  eventId: string,
  body: string,
  secrets: readonly EndpointSecret[],
  now: Date,
): Record<string, string> {
  const timestamp = Math.floor(now.getTime() / 1000).toString();
  const holding = secrets.filter(({ until }) => until === undefined || new Date(until) > now);
  const signatures = holding.map(({ secret }) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${eventId}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': eventId, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
