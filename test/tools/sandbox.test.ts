import { describe, expect, test } from '@jest/globals';
import { MEANS, sandboxedCommand, type SandboxRequest } from '../../src/tools/sandbox.js';
import { translateEnd } from '../../src/tools/spawn.js';

const REQUEST: SandboxRequest = {
  command: '/usr/bin/ffmpeg',
  args: ['-i', './source'],
  scratch: '/var/scratch/job-1',
  readOnlyFiles: ['source'],
  limits: { memoryMiB: 512, cpuSeconds: 59.2, fileMiB: 64 },
  memory: 'address-space',
  readOnlyPaths: ['/usr/bin', '/opt/mediamill/policy'],
  env: { MAGICK_TMPDIR: '.' },
  niceness: 10,
};
const SYSTEM_FOLDERS = [
  ['/usr', null],
  ['/lib', 'usr/lib'],
] as const;

describe('the command of a sandboxed child', () => {
  test.each(MEANS)('by %s', (means) => {
    expect(sandboxedCommand({ means, systemFolders: SYSTEM_FOLDERS }, REQUEST)).toMatchSnapshot();
  });

  test('of Node: data instead of addresses, no CPU limit for one that serves many jobs', () => {
    const request = { ...REQUEST, memory: 'data', limits: { memoryMiB: 512, fileMiB: 64 }, niceness: 0 } as const;
    const { file, args } = sandboxedCommand({ means: 'prlimit', systemFolders: [] }, request);
    expect([file, ...args].slice(0, 10)).toEqual([
      ...['setpriv', '--no-new-privs', '--pdeathsig', 'KILL', '--'],
      ...['prlimit', '--data=536870912', '--fsize=67108864', '--nofile=1024', '--core=0'],
    ]);
  });
});

describe('the end of a child', () => {
  test.each([
    ['bubblewrap', 139, null, { exitCode: null, signal: 'SIGSEGV' }],
    ['bubblewrap', 1, null, { exitCode: 1, signal: null }],
    ['bubblewrap', 255, null, { exitCode: 255, signal: null }],
    ['bubblewrap', null, 'SIGKILL', { exitCode: null, signal: 'SIGKILL' }],
    ['prlimit', 139, null, { exitCode: 139, signal: null }],
    ['prlimit', null, 'SIGSEGV', { exitCode: null, signal: 'SIGSEGV' }],
  ] as const)('by %s, code %s, signal %s', (means, code, signal, end) => {
    expect(translateEnd({ means }, code, signal)).toEqual(end);
  });
});
