/** One trace from the record in Kafka to the ffmpeg that worked for it, as a collector receives it. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import sharp from 'sharp';

import type { Config } from '../../src/config/schema.js';
import { merge } from '../../src/local/addresses.js';
import { makeVideo } from '../../src/local/samples.js';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { openBench, type Bench } from '../support/starter.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

jest.setTimeout(240_000);
const stack = useStack();

const PROFILE = `
extends: default
description: One small size.
rungs:
  - { size: 90, codec: h264, crf: 30, capKbps: 100 }
`;

let dir: string;
let config: Config;
let receiver: OtlpReceiver;
let bench: Bench;
let processes: OwnProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-traces-'));
  await writeFile(join(dir, 'small.yaml'), PROFILE);
  config = merge(await stack.isolated({ database: true }), {
    // Headers are not encrypted; what they stand beside is.
    temporal: { encryptionKeys: `test:${randomBytes(32).toString('base64')}` },
    profiles: { dir },
    scratch: { dir: join(dir, 'scratch') },
  });
  receiver = await startOtlpReceiver();
  bench = await openBench(config);
  const traced = ['env', `OTEL_EXPORTER_OTLP_ENDPOINT=${receiver.endpoint}`, 'OTEL_BSP_SCHEDULE_DELAY=100'];
  processes = await Promise.all([
    startProcess('workers/all.js', config, 'worker ready', traced),
    startProcess('starters/kafka/main.js', config, 'starter ready', traced),
  ]);
}, 180_000);

afterAll(async () => {
  for (const one of processes) one.kill('SIGTERM');
  const codes = await Promise.all(processes.map(({ exited }) => exited));
  await bench?.close();
  await receiver?.close();
  await rm(dir, { recursive: true, force: true });
  expect(codes).toEqual(codes.map(() => 0));
}, 60_000);

async function upload(key: string, bytes: Buffer, contentType: string, headers: Record<string, string>): Promise<void> {
  const metadata = { 'mediamill-profile': 'small' };
  await bench.store.putBytes(config.storage.uploadsBucket, key, bytes, { contentType, metadata });
  await bench.produce([{ key: contentType, value: key, headers }]);
}

/** Spans of the trace in which a run of this workflow type is, when that has ended. */
async function traceOf(workflowType: string): Promise<ReceivedSpan[]> {
  const run = (): ReceivedSpan | undefined => receiver.spans.find(({ name }) => name === workflowType);
  await until(`${workflowType} has ended`, () => run() !== undefined, 120_000).catch((error: unknown) => {
    throw new Error(processes.flatMap(({ log }) => log.slice(-20)).join('\n'), { cause: error });
  });
  return receiver.spans.filter(({ traceId }) => traceId === run()!.traceId);
}

/** Names from a span up to the root of its trace; last, the id of what is not there. */
function lineOf(span: ReceivedSpan, trace: readonly ReceivedSpan[]): string[] {
  const parent = trace.find(({ spanId }) => spanId === span.parentSpanId);
  return [span.name, ...(parent ? lineOf(parent, trace) : [span.parentSpanId ?? 'root'])];
}

test('the trace of a producer goes on through starter, workflow and steps to the tools', async () => {
  const film = await makeVideo(join(dir, 'secret-name.mp4'), { seconds: 2, width: 320, height: 180 });
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  await upload('secret-name.mp4', await readFile(film), 'video/mp4', { traceparent: `00-${traceId}-${spanId}-01` });

  const trace = await traceOf('processVideo');
  expect(trace[0]!.traceId).toBe(traceId);
  const above = ['processVideo', 'start processVideo', `process ${config.kafka.uploadsTopic}`, spanId];
  // Every span that there is hangs on the producer's, and none on nothing.
  for (const span of trace) expect(lineOf(span, trace).at(-1)).toBe(spanId);
  const lines = trace.map((span) => lineOf(span, trace));
  for (const step of ['inspectMedia', 'encodeChunk', 'publishMedia']) expect(lines).toContainEqual([step, ...above]);
  expect(lines).toContainEqual(['ffmpeg', 'encodeChunk', ...above]);
  expect(lines).toContainEqual(['ffprobe', 'inspectMedia', ...above]);
  const tellers = [...new Set(trace.map((span) => span.process))].sort();
  expect(tellers).toEqual(['starter:kafka', expect.stringMatching(/^worker:/)]);
  // A step is within its workflow, a tool within its step. One machine, one clock.
  for (const span of trace.filter(({ name }) => name === 'ffmpeg')) {
    const step = trace.find((other) => other.spanId === span.parentSpanId)!;
    expect(BigInt(span.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(step.startTimeUnixNano));
    expect(BigInt(span.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(step.endTimeUnixNano));
  }
});

test('a record without a trace begins one; what fails is marked; nothing says what a file is called', async () => {
  const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer();
  await upload('secret-name.jpg', picture, 'image/jpeg', {});
  const trace = await traceOf('processImage');
  expect(trace.map((span) => lineOf(span, trace))).toContainEqual([
    ...['makeImage', 'processImage', 'start processImage', `process ${config.kafka.uploadsTopic}`, 'root'],
  ]);
  expect(trace.filter(({ status }) => status.code === 2)).toEqual([]);

  const seen = receiver.spans.length;
  await upload('secret-name.gif', Buffer.from('GIF89a, and then nothing of one'), 'image/gif', {});
  const failed = (): ReceivedSpan[] => receiver.spans.slice(seen).filter(({ status }) => status.code === 2);
  await until('the failure is told', () => failed().some(({ name }) => name === 'processImage'), 60_000);
  const step = failed().find(({ name }) => name === 'makeImage')!;
  expect(step.attributes.map(({ key }) => key)).toContain('error.type');
  expect(JSON.stringify(receiver.spans)).not.toContain('secret-name');
});
