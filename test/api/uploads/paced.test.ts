import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import { paced } from '../../../src/api/uploads/paced.js';

async function lengthOf(
  source: AsyncIterable<Uint8Array>,
  after: () => Promise<void> = async () => undefined,
): Promise<number> {
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.length;
    await after();
  }
  return bytes;
}

async function* every(ms: number, pieces: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < pieces; piece += 1) {
    await sleep(ms);
    yield new Uint8Array(bytes);
  }
}

test('a steady sender is left alone, however long it takes', async () => {
  expect(await lengthOf(paced(every(300, 6, 4096), 1))).toBe(6 * 4096);
}, 20_000);

test('one that sends next to nothing, and one that sends nothing, are ended', async () => {
  await expect(lengthOf(paced(every(100, 100, 1), 1))).rejects.toMatchObject({ problem: 'request-timeout' });
  await expect(lengthOf(paced(every(5_000, 1, 1), 1))).rejects.toMatchObject({ problem: 'request-timeout' });
}, 20_000);

test('our own slowness is not the sender’s', async () => {
  const slowly = () => sleep(600);
  expect(await lengthOf(paced(every(0, 4, 10), 1), slowly)).toBe(40);
}, 20_000);
