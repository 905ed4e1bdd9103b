import { describe, expect, test } from '@jest/globals';

import type { VideoPlan } from '../../../../src/contracts/plan.js';
import { growingSegments, publishedSegments } from '../../../../src/starters/http/page/segments.js';
import { securityHeaders } from '../../../../src/starters/http/page/policy.js';
import { checkHead } from '../../../../src/starters/http/page/checks.js';
import { loadConfig } from '../../../../src/config/index.js';

const plan = {
  grid: { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: 450 },
  rungs: [{ name: '720p' }, { name: '360p' }],
  audio: [{ name: 'audio-0' }],
  facts: { duration: 18 },
} as unknown as VideoPlan;

describe('segments of each rung', () => {
  test('what is in the store is there, what a step says of itself is being made', () => {
    const paths = [
      'video/360p/init.mp4',
      'video/360p/seg-00000.m4s',
      'video/720p/seg-00001.m4s',
      'audio/audio-0/seg-00004.m4s',
    ];
    expect(growingSegments(plan, paths, ['segments 1-2', 'audio-0'])).toEqual([
      { name: '720p', type: 'video', segments: 'wdrww' },
      { name: '360p', type: 'video', segments: 'drrww' },
      { name: 'audio-0', type: 'audio', segments: 'rrrrd' },
    ]);
  });

  test('all that is published is there, but what was withdrawn', () => {
    expect(publishedSegments(plan, ['720p']).map(({ segments }) => segments)).toEqual(['wwwww', 'ddddd', 'ddddd']);
  });
});

const config = loadConfig({ files: [], overrides: {} });

test('the page may load from itself and from where media is, and nothing may frame it but the player', () => {
  const places = {
    http: { ...config.http, cdnUrl: 'https://cdn.example/media' },
    storage: { ...config.storage, publicUrl: 'https://store.example:9000/x' },
  };
  const page = securityHeaders(places, false);
  expect(page['content-security-policy']).toContain("script-src 'self'; style-src 'self'; ");
  expect(page['content-security-policy']).toContain('https://store.example:9000 https://cdn.example;');
  expect(page['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(page['content-security-policy']).not.toMatch(/unsafe|\*/);
  expect(page['x-frame-options']).toBe('DENY');
  const embedded = securityHeaders(places, true);
  expect(embedded['content-security-policy']).toContain('frame-ancestors *');
  expect(embedded['x-frame-options']).toBeUndefined();
});

describe('what would be refused later is refused at once', () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');
  const limits = { ...config.limits, maxImageMiB: 1, maxUploadMiB: 2 };

  test.each([
    ['an empty file', Buffer.alloc(0), 0, 'OBJECT_EMPTY'],
    ['text', Buffer.from('#EXTM3U\n'), 8, 'UNSUPPORTED_TYPE'],
    ['a large image', png, 1_100_000, 'LIMIT_BYTES'],
    ['a large file', Buffer.alloc(100, 7), 2_200_000, 'LIMIT_BYTES'],
  ])('%s', async (_what, head, size, code) => {
    await expect(checkHead(limits, head, size)).rejects.toMatchObject({ code });
  });

  test('and nothing else', async () => {
    await expect(checkHead(limits, png, 1_000_000)).resolves.toBeUndefined();
    await expect(checkHead(limits, Buffer.alloc(100, 7), 2_000_000)).resolves.toBeUndefined();
  });
});
