import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { detectHost, refuseWeak } from '../../src/tools/protections.js';
import { MEANS, PROTECTIONS } from '../../src/tools/sandbox.js';
import { bestHost } from './support.js';

const DIST = new URL('../../dist/tools/protections.js', import.meta.url).href;

describe('what protects this host', () => {
  test('is the best means that works', async () => {
    expect((await detectHost('reduced')).means).toBe((await bestHost()).means);
  });
});

const throws = (call: () => void): boolean => {
  try {
    call();
    return false;
  } catch {
    return true;
  }
};

test('a means that only root can use is passed over by others, not fatal', async () => {
  // Loaded before the change of user: nobody need not be able to read this checkout.
  const script = `
    const { tryMeans, findSystemFolders } = await import(${JSON.stringify(DIST)});
    if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
    console.log(await tryMeans({ means: 'unshare', systemFolders: await findSystemFolders() }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TMPDIR: '/tmp' },
  });
  expect(stdout).toMatch(/not permitted/);
});

describe('strict mode', () => {
  test('accepts bubblewrap alone', () => {
    expect(MEANS.filter((means) => !throws(() => refuseWeak(means, [])))).toEqual(['bubblewrap']);
  });

  test.each([
    ['unshare', 'file-system isolation'],
    ['prlimit', 'file-system isolation, network isolation, privilege isolation'],
    ['none', 'file-system isolation, network isolation, privilege isolation'],
  ] as const)('refuses %s, and says what is missing and what helps', (means, missing) => {
    const refuse = () => refuseWeak(means, ['bubblewrap: bwrap is not installed']);
    expect(refuse).toThrow(`without ${missing} here`);
    expect(refuse).toThrow('SANDBOX_MODE=reduced');
    expect(refuse).toThrow('bwrap is not installed');
    expect(PROTECTIONS[means].fileSystem).toBe(false);
  });
});
