/** Bytes on which a decoder gives way are not decoded again until an operator lets them: real children that are really killed. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import sharp from 'sharp';

import { createActivities } from '../../src/activities/index.js';
import { withQuarantine } from '../../src/activities/image/quarantine.js';
import type { Config } from '../../src/config/index.js';
import type { ImageActivities, ImageOutcome } from '../../src/contracts/activities.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import { MediaError } from '../../src/contracts/errors.js';
import { createLogger } from '../../src/logging/index.js';
import type { SpawnSandboxed } from '../../src/tools/child.js';
import type { ImageCall } from '../../src/tools/images/protocol.js';
import { createTools } from '../../src/tools/index.js';
import type { Tools } from '../../src/tools/tools.js';
import { openContext, type OpenContext } from '../../src/workers/context.js';
import { jobOf } from '../support/job.js';
import { descendants } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { failureOf } from '../tools/support.js';

// Real servers and decoders on a machine that has other tests to run.
jest.setTimeout(60_000);

const stack = useStack();
let config: Config;
let open: OpenContext;
let tools: Tools;
let activities: ImageActivities;
let dir: string;

/** What meets a request to decode before it can be answered. */
let strike: NodeJS.Signals | undefined;
/** Requests to decode so far. */
let decodes = 0;

const striking =
  (spawn: SpawnSandboxed): SpawnSandboxed =>
  (spec) => {
    const child = spawn(spec);
    const { stdin, pid } = child.process;
    const write = stdin.write.bind(stdin) as (text: string) => boolean;
    stdin.write = ((text: string) => {
      if ((JSON.parse(text) as ImageCall).op === 'render') {
        decodes += 1;
        if (strike) process.kill(descendants(pid!).at(-1)?.pid ?? pid!, strike);
      }
      return write(text);
    }) as typeof stdin.write;
    return child;
  };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-quarantine-'));
  const overrides = {
    ...{ scratch: { dir }, workers: { imageConcurrency: 1 }, log: { level: 'error' as const } },
    limits: { imageSeconds: 5 },
  };
  config = await stack.isolated({ database: true, overrides });
  const logger = createLogger(config.log);
  open = await openContext(config, logger, { tools: false });
  tools = await createTools(config, logger, open.activities.scratch.dir, striking);
  activities = createActivities({ ...open.activities, tools }).image;
}, 120_000);
afterAll(async () => {
  await tools?.close();
  await open?.close();
  await rm(dir, { recursive: true });
});

/** Other bytes each time. */
async function photo(): Promise<{ readonly bytes: Buffer; readonly sha256: string }> {
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 40 };
  const bytes = await sharp({ create: { width: 200, height: 150, channels: 3, background: 'grey', noise } })
    .jpeg()
    .toBuffer();
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function upload(bytes: Buffer): Promise<Job> {
  const bucket = config.storage.uploadsBucket;
  const key = `${randomUUID()}.jpg`;
  await open.activities.store.putBytes(bucket, key, bytes, { contentType: 'image/jpeg' });
  const { etag } = await open.activities.store.stat(bucket, key);
  return jobOf({ bucket, key, etag });
}

const makeImage = (job: Job): Promise<ImageOutcome> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(
    activities.makeImage as never,
    job as never,
    job.uploadedAt as never,
  );

async function whileStruckBy(signal: NodeJS.Signals, run: () => Promise<void>): Promise<void> {
  strike = signal;
  try {
    await run();
  } finally {
    strike = undefined;
  }
}

test.each([
  ['crashes', 'SIGSEGV', 'DECODER_CRASHED'],
  ['hangs', 'SIGSTOP', 'DECODER_TIMEOUT'],
] as const)(
  'a file on which the decoder %s is tried twice, then refused undecoded until that is lifted',
  async (_how, signal, code) => {
    const { bytes, sha256 } = await photo();
    const { catalogue, store } = open.activities;
    const first = await upload(bytes);
    const before = decodes;
    let failure: unknown;
    await whileStruckBy(signal, async () => {
      failure = await failureOf(makeImage(first));
    });
    expect(failure).toMatchObject({ type: code, nonRetryable: true });
    expect(decodes - before).toBe(2);
    const { message } = failure as Error;
    expect(await catalogue.quarantined(sha256)).toMatchObject({ verdict: { code, message }, assetId: first.assetId });

    // Somebody else, under another name, with a decoder that would have no trouble at all.
    const second = await upload(bytes);
    expect(await failureOf(makeImage(second))).toMatchObject({ type: code, nonRetryable: true, message });
    expect(decodes - before).toBe(2);
    for await (const { key } of store.list(config.storage.mediaBucket, outputPrefix(second.assetId, 1)))
      throw new Error(`it left ${key}`);

    // Others are none the wiser.
    expect(await makeImage(await upload((await photo()).bytes))).toMatchObject({ outcome: 'ready' });

    expect(await catalogue.liftQuarantine(sha256)).toBe(true);
    expect(await makeImage(await upload(bytes))).toMatchObject({ outcome: 'ready' });
  },
);

test('one crash is forgiven', async () => {
  const { bytes, sha256 } = await photo();
  const job = await upload(bytes);
  const before = decodes;
  await whileStruckBy('SIGKILL', async () => {
    const made = makeImage(job);
    while (decodes === before) await new Promise((resolve) => setTimeout(resolve, 1));
    strike = undefined;
    expect(await made).toMatchObject({ outcome: 'ready' });
  });
  expect(decodes - before).toBe(2);
  expect(await open.activities.catalogue.quarantined(sha256)).toBeUndefined();
});

test.each<[string, MediaError, boolean, boolean]>([
  ['crashed, and somebody tries again', new MediaError('DECODER_CRASHED'), false, false],
  ['crashed for the last time', new MediaError('DECODER_CRASHED'), true, true],
  ['took too long for the last time', new MediaError('DECODER_TIMEOUT'), true, true],
  ['found damage', new MediaError('DAMAGED_FILE'), true, false],
  ['passed a limit', new MediaError('DECODER_LIMIT'), true, false],
  ['found no store', new MediaError('STORE_UNAVAILABLE'), false, false],
])('of a step that %s', async (_what, error, isFinal, kept) => {
  const { logger, catalogue } = open.activities;
  const { sha256 } = await photo();
  const job = jobOf({ bucket: 'uploads', key: randomUUID(), etag: 'e' });
  const scope = { logger, isFinal: () => isFinal };
  const decode = (): Promise<never> => Promise.reject(error);
  await expect(withQuarantine({ catalogue }, scope, job, sha256, decode)).rejects.toBe(error);
  expect((await catalogue.quarantined(sha256)) !== undefined).toBe(kept);
});
