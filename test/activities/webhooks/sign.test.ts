import { Webhook } from 'standardwebhooks';

import { signatureHeaders } from '../../../src/activities/webhooks/sign.js';

const secret = (fill: number): string => `whsec_${Buffer.alloc(32, fill).toString('base64')}`;
const body = JSON.stringify({ type: 'asset.ready', data: { title: 'Über uns' } });

test('a library that is not ours accepts our signature', () => {
  const headers = signatureHeaders('evt_1', body, [{ secret: secret(1) }], new Date());
  expect(new Webhook(secret(1)).verify(body, headers)).toEqual(JSON.parse(body));
});

test('it refuses another body, another secret, another id, and a request that is played back later', () => {
  const headers = signatureHeaders('evt_1', body, [{ secret: secret(1) }], new Date());
  expect(() => new Webhook(secret(1)).verify(`${body} `, headers)).toThrow(/signature/i);
  expect(() => new Webhook(secret(2)).verify(body, headers)).toThrow(/signature/i);
  expect(() => new Webhook(secret(1)).verify(body, { ...headers, 'webhook-id': 'evt_2' })).toThrow(/signature/i);
  const old = signatureHeaders('evt_1', body, [{ secret: secret(1) }], new Date(Date.now() - 600_000));
  expect(() => new Webhook(secret(1)).verify(body, old)).toThrow(/timestamp/i);
});

test('while a secret is rotated out receivers with either are content, afterwards only those with the new one', () => {
  const now = new Date();
  const soon = new Date(now.getTime() + 60_000).toISOString();
  const past = new Date(now.getTime() - 1).toISOString();
  const rotating = signatureHeaders('e', body, [{ secret: secret(2) }, { secret: secret(1), until: soon }], now);
  expect(() => new Webhook(secret(1)).verify(body, rotating)).not.toThrow();
  expect(() => new Webhook(secret(2)).verify(body, rotating)).not.toThrow();
  const rotated = signatureHeaders('e', body, [{ secret: secret(2) }, { secret: secret(1), until: past }], now);
  expect(() => new Webhook(secret(1)).verify(body, rotated)).toThrow(/signature/i);
  expect(() => new Webhook(secret(2)).verify(body, rotated)).not.toThrow();
});
