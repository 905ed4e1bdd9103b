/** A film over gRPC, from its first byte to its last trace. All processes as in production. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import getPort from 'get-port';
import { jest } from '@jest/globals';

import { openContext, type OpenContext } from '../../src/api/open-context.js';
import type { Config } from '../../src/config/schema.js';
import { merge } from '../../src/local/addresses.js';
import { createLogger } from '../../src/logging/index.js';
import { SERVICE } from '../../src/starters/grpc/definition.js';
import type { UploadVideoResponse, Video, WatchVideoResponse } from '../../src/starters/grpc/messages.js';
import { camel, clientByReflection, withKey } from '../support/grpc.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const run = promisify(execFile);
jest.setTimeout(240_000);
const stack = useStack();
/** Small, so that it is soon done on a busy machine too. */
const PROFILE = `
extends: default
description: Four small sizes.
rungs:
  - { size: 180, codec: h264, crf: 30, capKbps: 400 }
  - { size: 144, codec: h264, crf: 30, capKbps: 300 }
  - { size: 120, codec: h264, crf: 30, capKbps: 200 }
  - { size: 90, codec: h264, crf: 30, capKbps: 100 }
`;
const SIZES = ['180p', '144p', '120p', '90p'];
/** Bytes. */
const CHUNK = 100_000;

let dir: string;
let config: Config;
let opened: OpenContext;
let processes: OwnProcess[];
let client: Awaited<ReturnType<typeof clientByReflection>>;

const start = async (entry: string, ready: string): Promise<void> => {
  processes.push(await startProcess(entry, config, ready));
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-grpc-'));
  await writeFile(join(dir, 'small.yaml'), PROFILE);
  const [http, grpc] = [await getPort(), await getPort()];
  const isolated = await stack.isolated({ database: true });
  config = merge(isolated, {
    http: { ...isolated.http, port: http },
    grpc: { ...isolated.grpc, port: grpc },
    profiles: { dir },
    scratch: { ...isolated.scratch, dir: join(dir, 'scratch') },
  });
  opened = openContext(config, createLogger({ ...config.log, level: 'error' }), 'test');
  processes = [];
  await start('workers/media.js', 'worker ready');
  await start('workers/publish.js', 'worker ready');
  await start('workers/video.js', 'worker ready');
  await start('starters/kafka/main.js', 'starter ready');
  await start('starters/http/main.js', 'http server ready');
  await start('starters/grpc/main.js', 'grpc server ready');
  client = await clientByReflection(`127.0.0.1:${grpc}`, SERVICE);
}, 180_000);

afterAll(async () => {
  client?.close();
  for (const one of processes) one.kill('SIGTERM');
  const codes = await Promise.all(processes.map(({ exited }) => exited));
  await opened.close();
  await rm(dir, { recursive: true, force: true });
  expect(codes.filter((code) => code !== 0)).toEqual([]);
}, 60_000);

function call<T>(method: string, request: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const ask = client[method]!.bind(client) as (...args: unknown[]) => unknown;
    ask(request, withKey(null), (error: ServiceError | null, answer: unknown) =>
      error ? reject(error) : resolve(camel<T>(answer)),
    );
  });
}

function upload(bytes: Buffer): Promise<UploadVideoResponse> {
  return new Promise((resolve, reject) => {
    const open = client['UploadVideo']!.bind(client) as (...args: unknown[]) => NodeJS.WritableStream & {
      write(message: object): boolean;
    };
    const stream = open(withKey(null), (error: ServiceError | null, answer: unknown) =>
      error ? reject(error) : resolve(camel(answer)),
    );
    stream.write({ header: { file_name: 'film.mp4', title: 'Film', profile: 'small', size: bytes.length } });
    for (let at = 0; at < bytes.length; at += CHUNK) stream.write({ chunk: bytes.subarray(at, at + CHUNK) });
    stream.end();
  });
}

const names = ({ variants }: Video): string[] => variants.map(({ name }) => name);
const lastWords = (): string => processes.flatMap(({ log }) => log.slice(-10)).join('\n');

it('shows each size when it is done, plays, and leaves nothing when it is deleted', async () => {
  const path = join(dir, 'film.mp4');
  const source = 'testsrc2=size=320x180:rate=24:duration=4';
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', source, '-preset', 'ultrafast', path]);
  const { video } = await upload(await readFile(path));
  expect(video).toMatchObject({ state: 'VIDEO_STATE_RECEIVED', title: 'Film', variants: [] });
  const { id } = video;

  const seen: WatchVideoResponse[] = [];
  const watching = client['WatchVideo']!({ id }, withKey(null)) as ClientReadableStream<unknown>;
  const ended = new Promise<void>((resolve, reject) => watching.on('end', resolve).on('error', reject));
  watching.on('data', (message: unknown) => seen.push(camel(message)));

  // Nobody makes its pictures yet: it can not be published, and all of its sizes are done.
  await until(
    `all sizes are in its record\n${lastWords()}`,
    async () => names(await call<Video>('GetVideo', { id })).length === SIZES.length,
    180_000,
  );
  const growing = await call<Video>('GetVideo', { id });
  expect(growing).toMatchObject({ state: 'VIDEO_STATE_PLAYABLE', playable: true, generation: 0 });
  expect(names(growing)).toEqual(SIZES);
  await start('workers/image.js', 'worker ready');
  await ended;

  const sizes = seen.map((message) => names(message.video));
  sizes.slice(1).forEach((now, n) => expect(now).toEqual(expect.arrayContaining(sizes[n]!)));
  expect(seen.at(-1)?.video).toMatchObject({ state: 'VIDEO_STATE_READY', generation: 1, duration: { seconds: 4 } });
  expect(seen.some(({ progress }) => progress && progress.percent > 0)).toBe(true);
  const ready = await call<Video>('GetVideo', { id });
  expect(ready.variants.map(({ name, width, height }) => [name, width, height])).toEqual([
    ['180p', 320, 180],
    ['144p', 256, 144],
    ['120p', 214, 120],
    ['90p', 160, 90],
  ]);
  for (const url of [ready.playback!.hls!, ...ready.variants.map((variant) => variant.url!)])
    expect(await (await fetch(url)).text()).toMatch(/^#EXTM3U/);

  await call('DeleteVideo', { id });
  await until(
    `its last object is gone\n${lastWords()}`,
    async () => Boolean((await opened.ctx.catalogue.find(id))?.purgedAt),
    60_000,
  );
  const left: string[] = [];
  const { uploadsBucket, mediaBucket } = config.storage;
  for (const bucket of [uploadsBucket, mediaBucket])
    for await (const { key } of opened.ctx.store.list(bucket, '')) left.push(key);
  expect(left).toEqual([]);
  expect(await call<Video>('GetVideo', { id })).toMatchObject({ state: 'VIDEO_STATE_DELETED', variants: [] });
});
