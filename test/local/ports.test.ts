import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { choosePorts, isFree } from '../../src/local/ports.js';

it('keeps a preferred port that is free, finds another for one that is taken, and gives none twice', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const taken = (server.address() as AddressInfo).port;
  try {
    expect(await isFree(taken, '127.0.0.1')).toBe(false);
    const { kafka } = await choosePorts({}, '127.0.0.1');
    const ports = await choosePorts({ minio: taken, kafka, temporal: kafka }, '127.0.0.1');
    expect(ports.minio).not.toBe(taken);
    expect([ports.temporal, ports.kafka].filter((port) => port === kafka)).toHaveLength(1);
    const all = Object.values(ports);
    expect(new Set(all).size).toBe(all.length);
  } finally {
    server.close();
  }
});
