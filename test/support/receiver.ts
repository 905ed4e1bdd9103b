/** A receiver of webhooks: keeps what it was sent, answers as it is told. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Webhook } from 'standardwebhooks';

import type { AssetEventData, WebhookEvent } from '../../src/contracts/webhooks.js';
import { until } from './processes.js';

export interface Received {
  readonly id: string;
  readonly headers: Record<string, string>;
  /** As it came. */
  readonly body: string;
  readonly event: WebhookEvent & { readonly data: AssetEventData };
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Statuses of the next answers, then 204. */
  answer(...statuses: number[]): void;
  /** Waits for as many. */
  until(count: number): Promise<readonly Received[]>;
  close(): Promise<void>;
}

export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const headers = request.headers as Record<string, string>;
      received.push({ id: headers['webhook-id'] ?? '', headers, body, event: JSON.parse(body) });
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer: (...next) => void statuses.push(...next),
    until: async (count) => {
      await until(`${count} webhooks, not ${received.length}`, () => received.length >= count, 30_000);
      return received;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** By a library that is not ours. @throws when the signature does not hold */
export const verify = (secret: string, { body, headers }: Received): unknown =>
  new Webhook(secret).verify(body, headers);
