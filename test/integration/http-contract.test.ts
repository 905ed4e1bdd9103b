/** The OpenAPI document is true: schemathesis, which knows nothing else of us, finds no answer that contradicts it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';

import { withContractServer } from '../support/contract-server.js';
import { checkContract, ensureSchemathesis } from '../support/schemathesis.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(300_000);
const stack = useStack();
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-contract-'));
  await ensureSchemathesis();
}, 300_000);

afterAll(() => rm(dir, { recursive: true, force: true }));

it('answers as it says, to what is right and to what is wrong', async () => {
  const config = await stack.isolated({ database: true });
  await withContractServer(config, async (server) => {
    const { code, output } = await checkContract({ ...server, dir, maxExamples: 5, seed: 1 });
    // Not an empty document, nor one that it could not read.
    expect(Number(/Tested: (\d+)/.exec(output)?.[1])).toBeGreaterThan(25);
    expect([code, code === 0 ? '' : output, server.complaints()]).toEqual([0, '', []]);
  });
});

it('answers what no parser takes by the same rules', async () => {
  const config = await stack.isolated({ database: true });
  await withContractServer(config, async ({ base, key, complaints }) => {
    const { port } = new URL(base);
    const said = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let answer = '';
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
        socket.setEncoding('utf8');
        socket.on('data', (more: string) => (answer += more)).on('error', reject);
        socket.on('close', () => resolve(answer));
      });
    const tooLarge = await said(`GET /v1/assets HTTP/1.1\r\nhost: x\r\nx-much: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(tooLarge).toMatch(/^HTTP\/1\.1 431 /);
    expect(tooLarge).toContain('content-type: application/problem+json');
    expect(JSON.parse(tooLarge.split('\r\n\r\n')[1]!)).toMatchObject({ status: 431 });
    expect(await said('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);

    const deep = await fetch(`${base}/v1/webhooks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'idempotency-key': 'deep' },
      body: '['.repeat(30_000) + ']'.repeat(30_000),
    });
    expect([deep.status, deep.headers.get('content-type')]).toEqual([400, 'application/problem+json; charset=utf-8']);
    expect(complaints()).toEqual([]);
  });
});
