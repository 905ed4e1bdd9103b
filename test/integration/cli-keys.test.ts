/** Keys and tenants as operators make them, and as the server then takes them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { jest } from '@jest/globals';

import { configEnv, type Config } from '../../src/config/index.js';
import { openApi, type TestApi } from '../support/api.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(120_000);
const BIN = join(process.cwd(), 'bin/mediamill.mjs');
const stack = useStack();
let config: Config;
let api: TestApi;

beforeAll(async () => {
  config = await stack.isolated({ database: true });
  api = await openApi(config);
}, 180_000);
afterAll(() => api.close());

function mediamill(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { PATH, HOME } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], { env: { PATH, HOME, ...configEnv(config) } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout: stdout.trim(), stderr: stderr.trim() }),
    );
  });
}

const statusOf = async (key: string, method = 'GET'): Promise<number> =>
  (await fetch(`${api.url}/v1/assets/${'a'.repeat(24)}`, { method, headers: { authorization: `Bearer ${key}` } }))
    .status;

it('makes a key that works, shows it once, and revokes it', async () => {
  const made = await mediamill(
    ...['keys', 'create', '--tenant', 'acme', '--name', 'a \u001b[31mname', '--scopes', 'read', '--expires-days', '1'],
  );
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^mm_[0-9a-f]{16}_[\w-]{43}$/) });
  const [, id] = made.stdout.split('_') as [string, string, string];
  expect([await statusOf(made.stdout), await statusOf(made.stdout, 'DELETE')]).toEqual([404, 403]);

  const { stdout } = await mediamill('keys', 'list', '--tenant', 'acme', '--json');
  expect(stdout).not.toContain(made.stdout.split('_')[2]);
  expect(JSON.parse(stdout)).toMatchObject({ id, tenant: 'acme', scopes: ['read'], revokedAt: null });
  expect((await mediamill('keys', 'list')).stdout).toMatch(
    new RegExp(`${id}  acme +read +good .* a \\?\\[31mname$`, 'm'),
  );

  expect(await mediamill('keys', 'revoke', id)).toMatchObject({ code: 0, stdout: `revoked ${id}` });
  expect((await mediamill('keys', 'list', '--json')).stdout).toMatch(/"revokedAt":"2/);
  // A server that has not met it before does not wait for what it remembers.
  const other = await openApi(config);
  try {
    const answer = await fetch(`${other.url}/v1/assets`, { headers: { authorization: `Bearer ${made.stdout}` } });
    expect(answer.status).toBe(401);
  } finally {
    await other.close();
  }
});

it('keeps the settings of a tenant, and only good ones', async () => {
  const settings = { retention: { rawDays: 7 }, profiles: { archive: { retention: { rawDays: -1 } } } };
  expect(await mediamill('tenants', 'set', 'acme', JSON.stringify(settings))).toMatchObject({ code: 0 });
  expect(JSON.parse((await mediamill('tenants', 'show', 'acme')).stdout)).toEqual(settings);
  expect((await mediamill('tenants', 'list')).stdout).toMatch(/^acme .*"rawDays":7/m);
  for (const bad of ['{', '{"retention":{"rawDays":"x"}}', '{"nonsense":1}'])
    expect([bad, (await mediamill('tenants', 'set', 'acme', bad)).code]).toEqual([bad, 1]);
  expect(JSON.parse((await mediamill('tenants', 'show', 'acme')).stdout)).toEqual(settings);
});

it('makes nothing of what is no tenant, scope or number', async () => {
  const bad = [
    ['--tenant', '../x'],
    ['--scopes', 'read,root'],
    ['--expires-days', '-1'],
  ];
  for (const args of bad) {
    const { code, stdout, stderr } = await mediamill('keys', 'create', ...args);
    expect([args, code, stdout]).toEqual([args, 1, '']);
    expect(stderr).toMatch(/invalid/);
  }
  expect(await mediamill('keys', 'revoke', '0000')).toMatchObject({ code: 1, stderr: 'There is no key 0000.' });
});
