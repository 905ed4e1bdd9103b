import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFfmpeg, runFfprobe } from '../../src/tools/ffmpeg/run.js';
import { ToolError } from '../../src/tools/tool-error.js';
import type { FfmpegProgress } from '../../src/tools/tools.js';
import { inScratch, LIMITS, sampleArgs, spawnerOf } from './support.js';

describe('ffmpeg and ffprobe in the sandbox', () => {
  test('encode with progress and probe the result', async () => {
    const spawn = await spawnerOf();
    await inScratch(async (scratch) => {
      const seen: FfmpegProgress[] = [];
      const made = await runFfmpeg(spawn, {
        args: sampleArgs(2),
        scratch,
        limits: LIMITS,
        stallSeconds: 10,
        onProgress: (progress) => seen.push(progress),
      });
      expect(seen.at(-1)).toMatchObject({ frame: 48 });
      expect(seen.at(-1)?.outTime).toBeGreaterThan(1.9);
      expect(made.peakMemoryKiB).toBeGreaterThan(10_000);
      const probed = await runFfprobe(spawn, {
        args: ['-of', 'json', '-show_format', '-show_streams', './source.mp4'],
        scratch,
        limits: LIMITS,
      });
      const facts = JSON.parse(probed.stdout) as { format: { nb_streams: number }; streams: Array<{ width?: number }> };
      expect(facts.format.nb_streams).toBe(2);
      expect(facts.streams[0]?.width).toBe(320);
    });
  });

  test('a file that is no media is a ToolError for the caller to judge', async () => {
    const spawn = await spawnerOf();
    await inScratch(async (scratch) => {
      await writeFile(join(scratch, 'source'), 'not a film');
      const failure = await runFfprobe(spawn, { args: ['./source'], scratch, limits: LIMITS }).catch((e: unknown) => e);
      expect(ToolError.is(failure)).toBe(true);
      expect(failure).toMatchObject({ exitCode: 1, signal: null, stderr: expect.stringContaining('Invalid data') });
    });
  });
});
