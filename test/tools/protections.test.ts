import { describe, expect, test } from '@jest/globals';
import { detectHost, refuseWeak } from '../../src/tools/protections.js';
import { MEANS, PROTECTIONS } from '../../src/tools/sandbox.js';
import { bestHost } from './support.js';

describe('what protects this host', () => {
  test('is the best means that works', async () => {
    expect((await detectHost('reduced')).means).toBe((await bestHost()).means);
  });

  test('is found within a second', async () => {
    const started = performance.now();
    await detectHost('reduced');
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('strict mode', () => {
  test.each(MEANS.filter((means) => means.startsWith('bubblewrap')))('accepts %s', (means) => {
    expect(() => refuseWeak(means, [])).not.toThrow();
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
