/** Server-sent events, followed by a client until a film is ready; on real workers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';

import type { Asset, AssetProgress } from '../../src/api/assets/schemas.js';
import { makeVideo } from '../../src/local/samples.js';
import { openApi, problemOf, type Client, type TestApi } from '../support/api.js';
import { lastWords, openMill, type Mill } from '../support/mill.js';
import { until } from '../support/processes.js';
import { jobOf } from '../support/playable.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(240_000);
const stack = useStack();
let dir: string;
let api: TestApi;
let mill: Mill;
let client: Client;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-events-'));
  const config = await stack.isolated({ database: true });
  api = await openApi(config);
  client = await api.as('default');
  mill = await openMill(dir, config, ['video', 'image', 'media', 'publish']);
}, 180_000);
afterAll(async () => {
  await mill?.close();
  await api?.close();
  await rm(dir, { recursive: true, force: true });
});

interface Event {
  readonly event: string;
  readonly id?: string;
  readonly data: unknown;
  /** Milliseconds. */
  readonly at: number;
}

/** As the HTML standard reads a stream. */
async function* eventsOf(response: Response): AsyncGenerator<Event> {
  let text = '';
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(bytes).toString();
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      if (fields.event) yield { event: fields.event, id: fields.id, data: JSON.parse(fields.data!), at: Date.now() };
    }
  }
}

it('tells of a film each second until it is ready, and then no more', async () => {
  const film = join(dir, 'film.mp4');
  await makeVideo(film, { seconds: 4, width: 320, height: 180, fps: 10 });
  const { job } = await mill.submit(film, 'followed.mp4');
  const owner = await api.as(job.tenant);
  const path = `/v1/assets/${job.assetId}/events`;
  const isKnown = async (): Promise<boolean> => (await owner.get(`/v1/assets/${job.assetId}`)).ok;
  await until('the film has a row', isKnown, 60_000).catch((error: Error) => {
    throw new Error(lastWords(mill), { cause: error });
  });
  const response = await owner.get(path, { 'accept-encoding': 'gzip, br' });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(response.headers.get('content-encoding')).toBeNull();
  const events: Event[] = [];
  for await (const event of eventsOf(response)) events.push(event);

  const assets = events.filter(({ event }) => event === 'asset').map(({ data }) => data as Asset);
  expect(events[0]!.event).toBe('asset');
  expect(assets.at(-1)).toMatchObject({ state: 'ready', playable: true });
  expect(assets.at(-1)).not.toHaveProperty('progress');
  expect(events.at(-1)).toMatchObject({ event: 'end', data: { state: 'ready' } });
  const told = events.flatMap(({ data }) => (data as { progress?: AssetProgress }).progress ?? []);
  expect(told.length).toBeGreaterThan(0);
  expect(told.some(({ parts }) => parts.some(({ name }) => name === '180p'))).toBe(true);
  expect(told.every(({ percent }) => percent >= 0 && percent <= 100)).toBe(true);

  // An EventSource that comes back is told that it is over; whoever has not seen the end sees it.
  const last = events.findLast(({ id }) => id !== undefined)!.id!;
  expect((await owner.get(path, { 'last-event-id': last })).status).toBe(204);
  const late = [];
  for await (const { event } of eventsOf(await owner.get(path, { 'last-event-id': '1' }))) late.push(event);
  expect(late).toEqual(['asset', 'end']);
});

it('goes on while nothing changes, for many at once, and ends with the server', async () => {
  const own = await openApi(api.ctx.config);
  const reader = await own.as('default');
  const job = jobOf();
  await own.ctx.catalogue.transition(job, { to: 'received', by: 'test' });
  const finds = jest.spyOn(own.ctx.catalogue, 'find');
  const followers = Array.from({ length: 20 }, async () => {
    const seen: Event[] = [];
    for await (const event of eventsOf(await reader.get(`/v1/assets/${job.assetId}/events`))) seen.push(event);
    return seen;
  });
  await sleep(3_500);
  await own.ctx.catalogue.transition(job, { to: 'processing', by: 'test', kind: 'video' });
  await sleep(1_500);
  await own.close();
  for (const seen of await Promise.all(followers)) {
    expect(seen.filter(({ event }) => event === 'asset').map(({ data }) => (data as Asset).state)).toEqual([
      ...['received', 'processing'],
    ]);
    expect(seen.filter(({ event }) => event === 'progress').length).toBeGreaterThan(0);
    expect(seen.some(({ event }) => event === 'end')).toBe(false);
  }
  // Twenty of them, some five seconds: each for itself would have asked a hundred times, and once more before.
  expect(finds.mock.calls.length).toBeLessThan(60);
});

it('ends when its asset is deleted', async () => {
  const job = jobOf();
  await api.ctx.catalogue.transition(job, { to: 'received', by: 'test' });
  const events = eventsOf(await client.get(`/v1/assets/${job.assetId}/events`));
  await events.next();
  expect((await client.send('DELETE', `/v1/assets/${job.assetId}`)).status).toBe(204);
  const rest = [];
  for await (const { event, data } of events) rest.push([event, (data as Asset).state]);
  expect(rest.slice(-2)).toEqual([
    ['asset', 'deleted'],
    ['end', 'deleted'],
  ]);
});

it('follows nothing of another tenant’s, and answers no HEAD', async () => {
  const job = jobOf();
  await api.ctx.catalogue.transition(job, { to: 'received', by: 'test' });
  const path = `/v1/assets/${job.assetId}/events`;
  const stranger = await api.as('stranger');
  expect(await problemOf(await stranger.get(path))).toBe('404 asset-unknown');
  expect((await client.request(path, { method: 'HEAD' })).status).toBe(405);
});
