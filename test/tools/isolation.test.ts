import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { chmod, link, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { runFfmpeg } from '../../src/tools/ffmpeg/run.js';
import { runTool } from '../../src/tools/process.js';
import { type Host, PROTECTIONS } from '../../src/tools/sandbox.js';
import { createSpawner } from '../../src/tools/spawn.js';
import type { ToolError } from '../../src/tools/tool-error.js';
import type { ToolResult } from '../../src/tools/tools.js';
import { failureOf, inScratch, LIMITS, workingHosts } from './support.js';

jest.setTimeout(60_000);

let hosts: Host[];
beforeAll(async () => {
  hosts = await workingHosts();
});

/** Every means on this host that promises something keeps it. */
async function forEachThat(
  promises: 'fileSystem' | 'network' | 'privileges' | 'resources',
  check: (host: Host) => Promise<void>,
) {
  const those = hosts.filter(({ means }) => PROTECTIONS[means][promises]);
  expect(those).not.toHaveLength(0);
  for (const host of those) await check(host);
}

const shell = (host: Host, scratch: string, script: string, ...args: string[]): Promise<ToolResult> =>
  runTool(createSpawner(host), {
    command: '/bin/sh',
    args: ['-c', script, 'sh', ...args],
    scratch,
    limits: LIMITS,
    wallSeconds: 10,
  });

/** As a decoder that has been taken over would. */
const perl = (host: Host, scratch: string, script: string): Promise<ToolResult> =>
  runTool(createSpawner(host), { command: 'perl', args: ['-e', script], scratch, limits: LIMITS, wallSeconds: 10 });

describe('a child in the sandbox', () => {
  test('has no network', async () => {
    const server: Server = createServer((socket) => socket.end());
    let connections = 0;
    server.on('connection', () => connections++);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      await forEachThat('network', (host) =>
        inScratch(async (scratch) => {
          const script = `use IO::Socket::INET; IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => ${port}, Timeout => 2) and print "connected" or print $!`;
          const { stdout } = await perl(host, scratch, script);
          expect(stdout).toMatch(/unreachable|refused/);
          const names = (await shell(host, scratch, 'cat /proc/net/dev 2>/dev/null || true')).stdout;
          expect(names).not.toMatch(/eth|ens|wlan/);
        }),
      );
      expect(connections).toBe(0);
    } finally {
      server.close();
    }
  });

  test('ffmpeg takes no URL, whatever the sandbox', async () => {
    for (const host of hosts) {
      await inScratch(async (scratch) => {
        await writeFile(
          join(scratch, 'source'),
          '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n',
        );
        const args = ['-f', 'hls', '-i', './source', '-f', 'null', '-'];
        const failure = await failureOf(
          runFfmpeg(createSpawner(host), { args, scratch, limits: LIMITS, stallSeconds: 10 }),
        );
        expect((failure as ToolError).stderr).toMatch(/not on whitelist|not allowed|Not in whitelist/i);
      });
    }
  });

  test('sees no file outside its scratch folder but programs, and writes none', async () => {
    await forEachThat('fileSystem', (host) =>
      inScratch(async (dir) => {
        const scratch = join(dir, 'scratch');
        const secret = join(dir, 'secret');
        await mkdir(scratch);
        await writeFile(secret, 'beware');
        const tries = [
          ...[`cat ${secret}`, 'cat /etc/passwd', 'cat ../secret', 'ls /root', 'ls /home', 'ls /var', 'ls /tmp'],
          ...['touch /x', 'touch /usr/x', 'touch /dev/x', 'touch /dev/shm/x', 'mkdir /y', `echo > ${secret}`],
          ...['mount -t tmpfs none /mnt', 'unshare --user true', 'chroot . true'],
        ];
        const script = tries.map((line) => `${line} >out 2>&1 && echo "did: ${line}"`).join('\n');
        const { stdout } = await shell(host, scratch, `${script}\ntrue`);
        expect(stdout).toBe('');
        expect(await readFile(secret, 'utf8')).toBe('beware');
        expect(await readdir(scratch)).toEqual(['out']);
      }),
    );
  });

  test('can not change a setting of the kernel, even below a worker that is root', async () => {
    const setting = '/proc/sys/kernel/core_pattern';
    const before = readFileSync(setting, 'utf8');
    await forEachThat('privileges', (host) =>
      inScratch(async (scratch) => {
        // The same value again: should the sandbox fail, nothing is lost but this test.
        const failure = await failureOf(shell(host, scratch, `printf %s "$1" > ${setting}`, before.trim()));
        expect((failure as ToolError).stderr).toMatch(/Read-only|denied|nonexistent|No such file/i);
      }),
    );
  });

  test('has no capability, can gain none, and is nobody', async () => {
    await forEachThat('privileges', (host) =>
      inScratch(async (scratch) => {
        const { stdout } = await shell(
          host,
          scratch,
          'id -u; setpriv --dump --dump | grep -E "no_new_privs|Effective|bounding"',
        );
        expect(stdout.split('\n')[0]).toBe('65534');
        expect(stdout).toMatch(/no_new_privs: 1/);
        expect(stdout).toMatch(/Effective capabilities: \[none\]/);
        expect(stdout).toMatch(/bounding set: \[none\]/);
      }),
    );
  });

  test('sees nothing of the worker’s environment, its own monitor’s included', async () => {
    process.env.MEDIAMILL_TEST_SECRET = 'beware';
    try {
      for (const host of hosts) {
        await inScratch(async (scratch) => {
          const { stdout } = await shell(
            host,
            scratch,
            'env; cat /proc/1/environ /proc/self/environ 2>/dev/null; true',
          );
          expect(stdout).toContain('LANG=C.UTF-8');
          expect(stdout).not.toContain('MEDIAMILL_TEST_SECRET');
        });
      }
    } finally {
      delete process.env.MEDIAMILL_TEST_SECRET;
    }
  });

  test('reads extra folders, and writes none of them', async () => {
    await forEachThat('fileSystem', (host) =>
      inScratch(async (dir) => {
        const scratch = join(dir, 'scratch');
        const extra = join(dir, 'extra');
        await Promise.all([mkdir(scratch), mkdir(extra)]);
        await writeFile(join(extra, 'data'), 'known');
        const { stdout } = await runTool(createSpawner(host), {
          command: '/bin/sh',
          args: ['-c', 'cat "$1/data"; echo x > "$1/data" || true', 'sh', extra],
          scratch,
          limits: LIMITS,
          readOnlyPaths: [extra],
          wallSeconds: 10,
        });
        expect(stdout).toBe('known');
        expect(await readFile(join(extra, 'data'), 'utf8')).toBe('known');
      }),
    );
  });

  test('can not change a file that other jobs share, nor put another in its place', async () => {
    await forEachThat('privileges', (host) =>
      inScratch(async (dir) => {
        const shared = join(dir, 'shared');
        const scratch = join(dir, 'scratch');
        await mkdir(scratch);
        await writeFile(shared, 'known');
        await chmod(shared, 0o444);
        await link(shared, join(scratch, 'source'));
        const changes = [
          'echo x >source',
          'echo x >>source',
          'truncate -s 0 source',
          'chmod 666 source',
          'dd if=/dev/zero of=source conv=notrunc',
        ];
        const moves = ['rm -f source', 'mv source other', 'ln -f /bin/sh source'];
        // As another user it may still put its own file under the name, which then is its own only.
        const tries = PROTECTIONS[host.means].fileSystem ? [...changes, ...moves] : changes;
        const script = tries.map((line) => `(${line}) 2>/dev/null && echo "did: ${line}"`).join('\n');
        const { stdout } = await runTool(createSpawner(host), {
          ...{ command: '/bin/sh', args: ['-c', `cat source; echo; ${script}\ntrue`], scratch, limits: LIMITS },
          ...{ readOnlyFiles: ['source'], wallSeconds: 10 },
        });
        expect(stdout).toBe('known\n');
        expect(await readFile(shared, 'utf8')).toBe('known');
        expect((await stat(shared)).mode & 0o777).toBe(0o444);
      }),
    );
  });

  test('runs at the niceness asked for', async () => {
    await inScratch(async (scratch) => {
      for (const host of hosts) {
        const spec = { command: 'nice', args: [], scratch, limits: LIMITS, niceness: 7, wallSeconds: 10 };
        expect((await runTool(createSpawner(host), spec)).stdout.trim()).toBe('7');
      }
    });
  });
});
