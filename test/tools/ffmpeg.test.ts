import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpawnSandboxed } from '../../src/tools/child.js';
import { ffmpegArguments } from '../../src/tools/ffmpeg/command.js';
import { runFfmpeg, runFfprobe } from '../../src/tools/ffmpeg/run.js';
import { createSpawner } from '../../src/tools/spawn.js';
import { ToolError } from '../../src/tools/tool-error.js';
import type { Brake, FfmpegProgress } from '../../src/tools/tools.js';
import { bestHost, failureOf, inScratch, LIMITS, sampleArgs } from './support.js';

jest.setTimeout(60_000);

let spawn: SpawnSandboxed;
beforeAll(async () => {
  spawn = createSpawner(await bestHost());
});

describe('ffmpeg and ffprobe in the sandbox', () => {
  test('encode with progress and probe the result', async () => {
    await inScratch(async (scratch) => {
      const seen: FfmpegProgress[] = [];
      const onProgress = (progress: FfmpegProgress) => seen.push(progress);
      const made = await runFfmpeg(spawn, {
        args: sampleArgs(2),
        scratch,
        limits: LIMITS,
        stallSeconds: 10,
        onProgress,
      });
      expect(seen.at(-1)).toMatchObject({ frame: 48 });
      expect(seen.at(-1)?.outTime).toBeGreaterThan(1.9);
      expect(made.peakMemoryKiB).toBeGreaterThan(10_000);
      expect(made.wallMs).toBeGreaterThan(10);

      const args = ['-of', 'json', '-show_format', '-show_streams', './source.mp4'];
      const probed = await runFfprobe(spawn, { args, scratch, limits: LIMITS });
      const facts = JSON.parse(probed.stdout) as { format: { nb_streams: number }; streams: Array<{ width?: number }> };
      expect(facts.format.nb_streams).toBe(2);
      expect(facts.streams[0]?.width).toBe(320);
    });
  });

  test('stand still while the brake is on, which is no stall', async () => {
    await inScratch(async (scratch) => {
      const source = { file: 'testsrc=s=160x90:r=10:d=4', options: ['-re', '-f', 'lavfi'] };
      const out = { file: 'out.ts', options: ['-f', 'mpegts'] };
      let frames = 0;
      let brake: Brake | undefined;
      const run = runFfmpeg(spawn, {
        args: ffmpegArguments({ inputs: [source], outputs: [out] }),
        scratch,
        limits: LIMITS,
        stallSeconds: 2,
        onProgress: ({ frame }) => (frames = frame),
        onStart: (control) => (brake = control),
      });
      while (frames === 0) await sleep(20);
      brake!.pause();
      // What was on its way.
      await sleep(200);
      const before = frames;
      await sleep(3000);
      expect(frames).toBe(before);
      expect(before).toBeLessThan(40);
      brake!.resume();
      await run;
      expect(frames).toBe(40);
      brake!.resume();
    });
  });

  test('lines are passed on as they come', async () => {
    await inScratch(async (scratch) => {
      await runFfmpeg(spawn, { args: sampleArgs(1), scratch, limits: LIMITS, stallSeconds: 10 });
      const lines: string[] = [];
      const args = ['-of', 'csv=p=0', '-select_streams', 'v', '-show_entries', 'packet=pts_time', './source.mp4'];
      const { stdout } = await runFfprobe(spawn, { args, scratch, limits: LIMITS, onLine: (line) => lines.push(line) });
      expect(lines).toHaveLength(24);
      expect(stdout).toBe('');
    });
  });

  test('an error of a line taker ends the child and is the error of the run', async () => {
    await inScratch(async (scratch) => {
      await runFfmpeg(spawn, { args: sampleArgs(1), scratch, limits: LIMITS, stallSeconds: 10 });
      const onLine = () => {
        throw new RangeError('too many');
      };
      const run = runFfprobe(spawn, { args: ['-show_packets', './source.mp4'], scratch, limits: LIMITS, onLine });
      await expect(run).rejects.toThrow(RangeError);
    });
  });

  test('a file that is no media is a ToolError for the caller to judge', async () => {
    await inScratch(async (scratch) => {
      await writeFile(join(scratch, 'source'), 'not a film');
      const failure = await failureOf(runFfprobe(spawn, { args: ['./source'], scratch, limits: LIMITS }));
      expect(ToolError.is(failure)).toBe(true);
      expect(failure).toMatchObject({ exitCode: 1, signal: null, stderr: expect.stringContaining('Invalid data') });
    });
  });

  test.each(['-y', '--version', 'a "b" \'c\'.mp4', '100%d.mp4', 'ünï ☃.mp4', '$(id);`id`.mp4', '[0]v.mp4', '@list'])(
    'a file called %s is only a file',
    async (file) => {
      await inScratch(async (scratch) => {
        const source = { file: 'color=s=16x16:r=5:d=1', options: ['-f', 'lavfi'] };
        const make = ffmpegArguments({ inputs: [source], outputs: [{ file, options: ['-f', 'mpegts'] }] });
        await runFfmpeg(spawn, { args: make, scratch, limits: LIMITS, stallSeconds: 10 });
        const read = ffmpegArguments({
          inputs: [{ file, options: [] }],
          outputs: [{ file: '-', options: ['-f', 'null'] }],
        });
        let frames = 0;
        const onProgress = (progress: FfmpegProgress) => (frames = progress.frame);
        await runFfmpeg(spawn, { args: read, scratch, limits: LIMITS, stallSeconds: 10, onProgress });
        expect(frames).toBe(5);
      });
    },
  );
});
