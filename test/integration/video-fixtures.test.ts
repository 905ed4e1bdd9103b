/** The shared fixtures of real makers, where they are: every video ends as its manifest line says. Elsewhere: the same of files made here. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { ERRORS, type ErrorCode } from '../../src/contracts/errors.js';
import { decode, ffmpeg } from '../activities/video/decoding.js';
import { openMill, type Mill } from '../activities/video/support.js';
import { useStack } from '../support/stack.js';

interface Case {
  readonly name: string;
  readonly verdict: string;
  readonly path: () => Promise<string>;
}

const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));
/** Six minutes at 1080p: the tests of interrupted workers are its place. */
const LONG_ONE = 'video/long_1080p_lowbitrate.mp4';
/** What a file's error must be; others of the verdict `error` may have any permanent code. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  'hostile/broken.mp4': 'DAMAGED_FILE',
  'hostile/zero_length_result.webm': 'OBJECT_EMPTY',
  'hostile/sample_fragmented_widevine.mp4': 'ENCRYPTED',
  'hostile/fixture2.mkv': 'TRUNCATED_FILE',
  'hostile/fixture.docx': 'UNSUPPORTED_TYPE',
  'hostile/fixture-json.webp': 'UNSUPPORTED_TYPE',
  'hostile/image_invalid.jpg': 'UNSUPPORTED_TYPE',
};

const shared: Case[] = !existsSync(join(FIXTURES, 'manifest.tsv'))
  ? []
  : readFileSync(join(FIXTURES, 'manifest.tsv'), 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t'))
      .filter(
        ([name]) =>
          /^video\//.test(name ?? '') || Object.hasOwn(CODES, name ?? '') || /^hostile\/.*\.mp4$/.test(name ?? ''),
      )
      .map(([name, verdict]) => ({
        name: name!,
        verdict: verdict!,
        path: () => Promise.resolve(join(FIXTURES, name!)),
      }));

let mill: Mill;
let profiles: string;
const stack = useStack();
const write = async (name: string, bytes: Buffer | string): Promise<string> => {
  await writeFile(join(mill.dir, name), bytes);
  return join(mill.dir, name);
};
const own: Case[] = [
  {
    name: 'own/flash video with millisecond time stamps',
    verdict: 'ready',
    path: async () => {
      const path = join(mill.dir, 'own.flv');
      await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30000/1001:duration=2', '-c:v', 'flv1', path);
      return path;
    },
  },
  { name: 'own/an MP4 without an index', verdict: 'error', path: () => write('own.mp4', Buffer.from('00000018667479706d7034320000000069736f6d6d70343200000008 6d646174'.replace(' ', ''), 'hex')) },
  { name: 'own/a playlist that poses as a video', verdict: 'error', path: () => write('own.ts', '#EXTM3U\n#EXTINF:4,\nfile:///etc/passwd\n') },
  { name: 'own/noise', verdict: 'error', path: () => write('noise.bin', Buffer.alloc(50_000, 'mediamill noise \x00\x01\x02')) },
]; // prettier-ignore

beforeAll(async () => {
  const config = await stack.isolated({ database: true });
  profiles = await mkdtemp(join(tmpdir(), 'mediamill-profiles-'));
  // The whole ladder by the encoder's cheapest way: these tests are about what goes in.
  await writeFile(
    join(profiles, 'cheap.yaml'),
    'extends: default\ndescription: For tests.\npresets: { h264: ultrafast }\n',
  );
  mill = await openMill({ ...config, profiles: { dir: profiles } });
}, 120_000);
afterAll(async () => {
  await mill.close();
  await rm(profiles, { recursive: true });
});

async function outcome({ name, path }: Case): Promise<string> {
  try {
    const source = await path();
    if (name === LONG_ONE) {
      const { grid, rungs } = await mill.inspect(await mill.upload(source));
      expect([grid?.totalFrames, rungs.length]).toEqual([10_883, 4]);
      return 'ready';
    }
    const { job, plan, result } = await mill.make(source, 'cheap');
    const folder = await mill.fetch(job);
    for (const { name: rung, width, height } of plan.rungs) {
      const decoded = await decode(join(folder, `video/${rung}/index.m3u8`));
      expect(decoded).toMatchObject({ frames: plan.grid!.totalFrames, width, height, sampleAspect: '1:1', pixelFormat: 'yuv420p', hasRotation: false }); // prettier-ignore
    }
    expect(plan.facts.duration).toBeLessThan(60);
    return result.state;
  } catch (error) {
    const { type, nonRetryable } = error as { type?: ErrorCode; nonRetryable?: boolean };
    if (!type || !(type in ERRORS) || nonRetryable !== true) throw error;
    return `error ${type}`;
  }
}

test.each([...own, ...shared])(
  '$name: $verdict',
  async (file) => {
    const end = await outcome(file);
    const expected = CODES[file.name]
      ? `^error ${CODES[file.name]}$`
      : file.verdict === 'either'
        ? '^(ready$|error)'
        : `^${file.verdict}`;
    expect(end).toMatch(new RegExp(expected));
    expect(end).not.toMatch(/INTERNAL|DECODER_CRASHED|VERIFY_FAILED/);
  },
  120_000,
);
