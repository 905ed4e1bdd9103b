/** Bad input: an end within bounds, a clear code, and never `ready` with damage in it. All fixtures: `npm run conformance -- --damage`. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import { ERRORS, type ErrorCode } from '../../src/contracts/errors.js';
import { ffmpeg } from '../activities/video/decoding.js';
import { openMill, type Mill } from '../activities/video/support.js';
import { damagedCopies, newComplaints } from '../support/damage.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(300_000);

let mill: Mill;
const stack = useStack();
beforeAll(async () => {
  mill = await openMill(await stack.isolated({ database: true }));
}, 180_000);
afterAll(() => mill.close());

const SOURCE = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=5', '-f', 'lavfi', '-i', 'sine=duration=5'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
/** Of a size and kind that the profile `fast` takes as it is. */
const COPIED = 'copied.mp4';
const BT709 = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'];
const FILES: Readonly<Record<string, readonly string[]>> = {
  [COPIED]: [...H264, '-vf', 'scale=1280:720', '-crf', '30', '-sc_threshold', '0', ...BT709],
  'front.mp4': [...H264, '-movflags', '+faststart'],
  'end.mov': H264,
  'clusters.mkv': H264,
  'packets.ts': H264,
  'other.webm': ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus'],
};

/** `ready`, `partial`, or the code that the uploader reads. @throws whatever has no code, or one of ours */
async function outcome(path: string): Promise<string> {
  const isCopied = path.endsWith(COPIED);
  try {
    const { plan, result } = await mill.make(path, isCopied ? 'fast' : 'default');
    if (isCopied && result.state === 'ready') expect(plan.rungs[0]!.passthrough).toBe(true);
    return result.state;
  } catch (error) {
    const { type, nonRetryable, message } = error as { type?: ErrorCode; nonRetryable?: boolean; message?: string };
    if (!type || !(type in ERRORS) || nonRetryable !== true) throw error;
    expect(message).toContain(ERRORS[type].sentence);
    return type;
  }
}

test.each(Object.keys(FILES))('%s, cut off and with bytes turned over', async (name) => {
  const dir = await mkdtemp(join(mill.dir, 'damage-'));
  const original = join(dir, name);
  await ffmpeg(...SOURCE, ...FILES[name]!, original);
  const ends: Record<string, string> = {};
  expect(await outcome(original)).toBe('ready');
  for (const copy of await damagedCopies(original, dir, [1, 2, 4, 6])) {
    const end = await outcome(copy);
    ends[copy.slice(dir.length + 1)] = end;
    expect(['ready', 'partial', 'DAMAGED_FILE', 'TRUNCATED_FILE', 'UNSUPPORTED_TYPE', 'UNSUPPORTED_FORMAT', 'NO_MEDIA']).toContain(end); // prettier-ignore
    if (end === 'ready') expect({ copy, wrong: await newComplaints(copy, original) }).toEqual({ copy, wrong: [] });
  }
  // What is cut in the middle is never all there. (A transport stream promises no length: it is only shorter.)
  if (name !== 'packets.ts') for (const share of [25, 50, 75]) expect(ends[`cut-${share}-${name}`]).not.toBe('ready');
});
