/** Every process tells of what it does, a real Prometheus scrapes all of them, and every dashboard shows something. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { Client, ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import sharp from 'sharp';

import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { Config } from '../../src/config/schema.js';
import { merge } from '../../src/local/addresses.js';
import { makeVideo } from '../../src/local/samples.js';
import { DEFINITIONS } from '../../src/metrics/definitions.js';
import type { Definition, ProcessKind } from '../../src/metrics/definition.js';
import { SERVICE } from '../../src/starters/grpc/definition.js';
import { clientByReflection, withKey } from '../support/grpc.js';
import { until } from '../support/processes.js';
import { checkMetrics, startPrometheus, type Prometheus } from '../support/prometheus.js';
import { useStack } from '../support/stack.js';
import { openBench, type Bench } from '../support/starter.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

jest.setTimeout(240_000);
const stack = useStack();

const PROFILE = `
extends: default
description: Two small sizes, delivered to nobody real.
rungs:
  - { size: 144, codec: h264, crf: 30, capKbps: 300 }
  - { size: 90, codec: h264, crf: 30, capKbps: 100 }
targets: [{ name: air, required: false }]
`;

interface Page {
  readonly kind: ProcessKind;
  readonly port: number;
}

let dir: string;
let config: Config;
let bench: Bench;
const processes: OwnProcess[] = [];
let pages: Page[];
let prometheus: Prometheus;

const KINDS: readonly [ProcessKind, string, string][] = [
  ['worker', 'workers/all.js', 'worker ready'],
  ['kafka', 'starters/kafka/main.js', 'starter ready'],
  ['http', 'starters/http/main.js', 'http server ready'],
  ['grpc', 'starters/grpc/main.js', 'grpc server ready'],
  ['codec', 'starters/codec/main.js', 'codec server ready'],
];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-metrics-'));
  const profiles = await mkdtemp(join(dir, 'profiles-'));
  await writeFile(join(profiles, 'small.yaml'), PROFILE);
  await writeFile(join(dir, 'targets.yaml'), JSON.stringify({ air: { type: 'simulated', startSeconds: 0.2, min: 1 } }));
  const isolated = await stack.isolated({ database: true });
  config = merge(isolated, {
    http: { port: await getPort() },
    grpc: { port: await getPort() },
    codec: { port: 0 },
    temporal: { encryptionKeys: `test:${randomBytes(32).toString('base64')}` },
    profiles: { dir: profiles },
    publishers: { targets: join(dir, 'targets.yaml') },
    scratch: { dir: join(dir, 'scratch') },
  });
  bench = await openBench(config);
  for (const [, entry, ready] of KINDS) processes.push(await startProcess(entry, config, ready));
  pages = KINDS.map(([kind], index) => ({ kind, port: portOf(processes[index]!) }));
  prometheus = await startPrometheus(
    dir,
    pages.map(({ kind, port }) => ({ role: kind, port })),
  );
}, 180_000);

afterAll(async () => {
  await prometheus?.close();
  for (const one of processes) one.kill('SIGTERM');
  const codes = await Promise.all(processes.map(({ exited }) => exited));
  await bench?.close();
  await rm(dir, { recursive: true, force: true });
  // Nobody who is scraped hangs at its end.
  expect(codes).toEqual(codes.map(() => 0));
}, 60_000);

/** As its log says. */
function portOf({ log }: OwnProcess): number {
  const line = log.find((candidate) => candidate.includes('metrics ready'));
  return (JSON.parse(line ?? '{}') as { port: number }).port;
}

const read = async ({ port }: Page): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

/** One number of Prometheus, the sum of all series; NaN where there are none. */
const valueOf = async (expr: string): Promise<number> => {
  const series = await prometheus.query(expr);
  return series.length === 0 ? NaN : series.reduce((sum, { value }) => sum + Number(value), 0);
};

async function upload(key: string, bytes: Buffer, contentType: string, hints: Record<string, string>): Promise<void> {
  const { uploadsBucket } = config.storage;
  const metadata = Object.fromEntries(Object.entries(hints).map(([name, value]) => [`mediamill-${name}`, value]));
  await bench.store.putBytes(uploadsBucket, key, bytes, { contentType, metadata });
  await bench.produce([{ key: contentType, value: key }]);
}

test('work of all kinds shows on all pages, and promtool has nothing to say', async () => {
  const clip = await readFile(await makeVideo(join(dir, 'clip.mp4'), { seconds: 2, width: 320, height: 180 }));
  const late = await readFile(await makeVideo(join(dir, 'late.mp4'), { seconds: 1, width: 320, height: 180 }));
  const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer();
  const soon = new Date(Date.now() + 600_000).toISOString();
  const past = new Date(Date.now() - 60_000).toISOString();
  await upload('clip.mp4', clip, 'video/mp4', { profile: 'small', 'publish-by': soon });
  await upload('late.mp4', late, 'video/mp4', { profile: 'small', 'publish-by': past });
  await upload('picture.jpg', picture, 'image/jpeg', {});
  // The header of a film, and nothing of a film behind it.
  await upload('broken.mp4', Buffer.concat([clip.subarray(0, 60), randomBytes(5000)]), 'video/mp4', {});
  await bench.produce([{ key: null, value: 'neither JSON nor anything else' }]);

  const base = `http://127.0.0.1:${config.http.port}`;
  await fetch(`${base}/v1/assets`);
  await fetch(`${base}/v1/assets/${'0'.repeat(32)}`);
  await fetch(`${base}/there/is/nothing/4711`);
  await listVideos();

  const catalogue = createCatalogue(config.catalogue);
  try {
    const ends = async (): Promise<string[]> =>
      (await catalogue.list({ limit: 10 })).map(({ state, key }) => `${key} ${state}`).sort();
    const wanted = ['broken.mp4 failed', 'clip.mp4 ready', 'late.mp4 ready', 'picture.jpg ready'];
    await until('all has ended', async () => (await ends()).join() === wanted.join(), 150_000).catch(
      async (error: unknown) => {
        throw new Error(`${(await ends()).join()}\n${processes.flatMap(({ log }) => log.slice(-20)).join('\n')}`, {
          cause: error,
        });
      },
    );
  } finally {
    await catalogue.close();
  }

  for (const page of pages) {
    const text = await read(page);
    expect([page.kind, checkMetrics(text)]).toEqual([page.kind, '']);
    const told = new Set([...text.matchAll(/^# TYPE (mediamill_\w+)/gm)].map(([, name]) => name!));
    const own = (Object.values(DEFINITIONS) as Definition[]).filter(({ by }) => by.includes(page.kind));
    expect([page.kind, [...told].sort()]).toEqual([page.kind, own.map(({ name }) => name).sort()]);
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text.includes('temporal_worker_task_slots_available')).toBe(page.kind === 'worker');
    // Bounded, whatever was asked and uploaded: in names and labels, for a value may be any number.
    const series = text.replace(/ \S+$/gm, '');
    expect(series).toContain('nodejs_eventloop_lag_p99_seconds\n');
    expect(series).not.toMatch(/4711|clip\.mp4|0{32}/);
  }
});

const listVideos = async (): Promise<void> => {
  const client = await clientByReflection(`127.0.0.1:${config.grpc.port}`, SERVICE);
  const list = client['ListVideos']!.bind(client) as (...args: unknown[]) => unknown;
  await new Promise<void>((done, fail) =>
    list({}, withKey(null), (error: ServiceError | null) => (error ? fail(error) : done())),
  );
  (client as unknown as Client).close();
};

test.each([
  ['mediamill_events_total{outcome="started"}', 4],
  ['mediamill_dead_letters_total', 1],
  ['mediamill_workflow_starts_total', 4],
  // The one that is late is published in part first.
  ['mediamill_assets_ended_total{state=~"ready|partial"}', 3],
  ['mediamill_assets_ended_total{state="failed"}', 1],
  ['mediamill_asset_failures_total', 1],
  ['mediamill_ready_seconds_count{duration="up-to-30s"}', 2],
  ['mediamill_ready_seconds_count{duration="image"}', 1],
  ['mediamill_deadlines_total{result="met"}', 1],
  ['mediamill_deadlines_total{result="missed"}', 1],
  ['mediamill_http_request_duration_seconds_count{route="/v1/assets/:id", status="4xx"}', 1],
  ['mediamill_http_request_duration_seconds_count{route="other", status="4xx"}', 1],
  ['mediamill_grpc_call_duration_seconds_count{method="ListVideos", code="OK"}', 1],
  ['mediamill_kafka_lag_records', 0],
  ['sum(mediamill_open_workflows)', 0],
])('%s is %d', async (expr, expected) => {
  let seen = NaN;
  await until(`${expr}: ${expected}`, async () => (seen = await valueOf(expr)) === expected, 20_000).catch(
    () => undefined,
  );
  expect(seen).toBe(expected);
});

test('speed, segments, traffic, failed tools, waits are counted', async () => {
  for (const metric of [
    'mediamill_encode_speed_ratio_sum',
    'mediamill_segments_total{kind="video"}',
    'mediamill_segments_total{kind="audio"}',
    'mediamill_store_bytes_total{direction="read"}',
    'mediamill_store_bytes_total{direction="written"}',
    'mediamill_tool_failures_total',
    'mediamill_step_failures_total{activity="inspectMedia"}',
    'mediamill_queue_wait_seconds_count{queue="publish"}',
    'mediamill_first_frame_seconds_sum{duration="up-to-30s"}',
    'mediamill_publisher_start_seconds_count',
    'mediamill_delivery_duration_seconds_count{target="simulated", outcome="ok"}',
  ]) {
    await until(`${metric} above zero`, async () => (await valueOf(metric)) > 0, 20_000);
  }
});

test('every process is up, and every rule can be evaluated', async () => {
  expect(await valueOf('up')).toBe(KINDS.length);
  const rulesNow = async (): Promise<{ health: string }[]> => {
    const { groups } = (await prometheus.api('rules')) as { groups: { rules: { health: string }[] }[] };
    return groups.flatMap(({ rules }) => rules);
  };
  expect((await rulesNow()).length).toBeGreaterThan(40);
  await until(
    'all rules were evaluated',
    async () => (await rulesNow()).every(({ health }) => health === 'ok'),
    20_000,
  );
});

test('every query of every dashboard returns data', async () => {
  const boards = resolve(import.meta.dirname, '../../deploy/grafana/dashboards');
  for (const file of await readdir(boards)) {
    const { panels } = JSON.parse(await readFile(join(boards, file), 'utf8')) as {
      panels: { title: string; targets?: { expr: string }[] }[];
    };
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const found = async (): Promise<boolean> =>
          (await prometheus.query(expr.replaceAll('$__rate_interval', '5m'))).length > 0;
        await until(`data for ${file}, ${title}: ${expr}`, found, 20_000);
      }
    }
  }
});
