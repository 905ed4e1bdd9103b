import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFfmpeg } from '../../src/tools/ffmpeg/run.js';
import { runMagick } from '../../src/tools/imagemagick/run.js';
import { isDiskFull } from '../../src/tools/outcome.js';
import { runTool } from '../../src/tools/process.js';
import type { Host } from '../../src/tools/sandbox.js';
import { createSpawner } from '../../src/tools/spawn.js';
import { judgeHard } from '../../src/tools/failures.js';
import type { ToolLimits } from '../../src/tools/tools.js';
import { failureOf, inScratch, LIMITS, sampleArgs, workingHosts } from './support.js';

/** One pixel on a canvas of 16000 x 16000. */
const GIF_BOMB = Buffer.from(
  '47494638396 1803e803e8000000000 00ffffff2c0000000001000100000202 4401003b'.replaceAll(' ', ''),
  'hex',
);

jest.setTimeout(60_000);

let hosts: Host[];
beforeAll(async () => {
  hosts = await workingHosts();
});

/** Each means of this host, each in a folder of its own. */
async function everywhere(check: (host: Host, scratch: string) => Promise<void>): Promise<void> {
  for (const host of hosts) await inScratch((scratch) => check(host, scratch));
}

const encode = (host: Host, scratch: string, limits: Partial<ToolLimits>, args: string[]) =>
  runFfmpeg(createSpawner(host), { args, scratch, limits: { ...LIMITS, ...limits }, stallSeconds: 30 });

describe('a decoder that asks for more than it may have', () => {
  test('memory: a picture of 1 GiB in 49 bytes', async () => {
    await everywhere(async (host, scratch) => {
      await writeFile(join(scratch, 'source'), GIF_BOMB);
      const args = ['-f', 'gif', '-i', './source', '-f', 'null', '-'];
      await expect(encode(host, scratch, { memoryMiB: 512 }, args)).rejects.toMatchObject({ code: 'DECODER_LIMIT' });
    });
  });

  test('memory: what several processes hold together', async () => {
    await everywhere(async (host, scratch) => {
      const hog = `perl -e '$x = "x" x 60e6; sleep 20'`;
      const run = runTool(createSpawner(host), {
        command: '/bin/sh',
        args: ['-c', `${hog} & ${hog} & ${hog} & wait`],
        scratch,
        limits: { memoryMiB: 150, fileMiB: 1 },
        wallSeconds: 20,
      });
      const failure = await failureOf(run);
      expect(failure).toMatchObject({ name: 'ToolError', stopped: 'memory' });
      expect(judgeHard(failure)).toMatchObject({ code: 'DECODER_LIMIT' });
    });
  });

  test('CPU time', async () => {
    await everywhere(async (host, scratch) => {
      const args = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=24', '-f', 'null', '-'];
      await expect(encode(host, scratch, { cpuSeconds: 1 }, args)).rejects.toMatchObject({ code: 'DECODER_LIMIT' });
    });
  });

  test('the size of a file', async () => {
    await everywhere(async (host, scratch) => {
      const args = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=24:d=10', '-f', 'rawvideo', '-y', './raw'];
      await expect(encode(host, scratch, { fileMiB: 1 }, args)).rejects.toMatchObject({ code: 'DECODER_LIMIT' });
    });
  });

  test('wall time', async () => {
    await everywhere(async (host, scratch) => {
      const args = ['-re', '-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=5', '-f', 'null', '-'];
      // It would go on for ever.
      await expect(encode(host, scratch, { wallSeconds: 0.5 }, args)).rejects.toMatchObject({
        code: 'DECODER_TIMEOUT',
      });
    });
  });

  test('standard output', async () => {
    await everywhere(async (host, scratch) => {
      const spec = { command: '/bin/sh', args: ['-c', 'yes'], scratch, limits: LIMITS, wallSeconds: 20 };
      const failure = await failureOf(runTool(createSpawner(host), spec));
      expect(failure).toMatchObject({ stopped: 'output' });
      expect(judgeHard(failure)).toMatchObject({ code: 'DECODER_LIMIT' });
    });
  });

  test('standard error is kept at its end, 16 KiB of it', async () => {
    await everywhere(async (host, scratch) => {
      const args = ['-c', 'i=0; while [ $i -lt 5000 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 3'];
      const spec = { command: '/bin/sh', args, scratch, limits: LIMITS, wallSeconds: 20 };
      const failure = (await failureOf(runTool(createSpawner(host), spec))) as { stderr: string; exitCode: number };
      expect(failure.exitCode).toBe(3);
      expect(failure.stderr).toHaveLength(16 * 1024);
      expect(failure.stderr.endsWith('line 4999\n')).toBe(true);
    });
  });

  test('a crash is DECODER_CRASHED, by the signal’s name under every means', async () => {
    await everywhere(async (host, scratch) => {
      const spec = { command: '/bin/sh', args: ['-c', 'kill -SEGV $$'], scratch, limits: LIMITS, wallSeconds: 20 };
      const failure = await failureOf(runTool(createSpawner(host), spec));
      expect(failure).toMatchObject({ signal: 'SIGSEGV', exitCode: null });
      expect(judgeHard(failure)).toMatchObject({ code: 'DECODER_CRASHED' });
    });
  });

  test('a full disk is NO_SPACE, of ffmpeg and of ImageMagick', async () => {
    await everywhere((host, scratch) =>
      onFullDisk(scratch, async (dir, file) => {
        const raw = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=24:d=4', '-f', 'rawvideo', '-y', `./${file}`];
        await expect(encode(host, dir, {}, raw)).rejects.toMatchObject({ code: 'NO_SPACE' });
        // ImageMagick's policy forbids devices.
        if (file === DEVICE_LINK) return;
        const args = ['-size', '1500x1500', 'xc:red', `PPM:./${file}`];
        const magick = runMagick(createSpawner(host), { args, scratch: dir, limits: LIMITS });
        await expect(magick).rejects.toMatchObject({ code: 'NO_SPACE' });
      }),
    );
  });

  test('a full disk is NO_SPACE though ffmpeg says nothing and exits with 0', async () => {
    await everywhere((host, scratch) =>
      onFullDisk(scratch, async (dir, file) => {
        // A file system without a free block that everybody has; the rest needs the right to mount one.
        expect(await Promise.all(['/proc', '/dev'].map(isDiskFull))).toEqual([true, false]);
        if (file === DEVICE_LINK) return;
        const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=24:duration=10'];
        const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '1'];
        const hls = ['-f', 'hls', '-hls_time', '1', '-hls_segment_type', 'fmp4', '-hls_segment_filename', './%d.m4s'];
        const args = [...source, ...codec, ...hls, '-y', './out.m3u8'];
        await expect(encode(host, dir, {}, args)).rejects.toMatchObject({ code: 'NO_SPACE' });
      }),
    );
  });

  test('within its limits it works', async () => {
    await everywhere(async (host, scratch) => {
      await expect(encode(host, scratch, { memoryMiB: 512 }, sampleArgs(1))).resolves.toMatchObject({ stdout: '' });
    });
  });
});

const DEVICE_LINK = 'full';

/** A disk of 1 MiB where we may mount one; else the device that is always full. */
async function onFullDisk(dir: string, use: (dir: string, file: string) => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) {
    await symlink('/dev/full', join(dir, DEVICE_LINK));
    return use(dir, DEVICE_LINK);
  }
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'mediamill-test', dir]);
  try {
    await use(dir, 'out');
  } finally {
    execFileSync('umount', [dir]);
  }
}
