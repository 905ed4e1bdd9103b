/** Deadlines and embargoes in the catalogue, on the results topic, and over HTTP: on real servers, with nobody at work. */
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';

import { createActivities, type Activities } from '../../src/activities/index.js';
import { declareDemand, rungsForNow } from '../../src/activities/video/contention.js';
import { settleDeadline } from '../../src/activities/deadlines/publish-deadline.js';
import { noteDone, openDemands } from '../../src/catalogue/demands.js';
import { noteSpeed } from '../../src/catalogue/speeds.js';
import type { Config } from '../../src/config/index.js';
import type { ChunkRequest } from '../../src/contracts/activities.js';
import type { AssetDocument, Job } from '../../src/contracts/assets.js';
import type { DeadlineReport } from '../../src/contracts/deadlines.js';
import { fromTheBottom } from '../../src/contracts/projection.js';
import { createLogger } from '../../src/logging/index.js';
import { openContext, type OpenContext } from '../../src/workers/context.js';
import { openApi, problemOf, type Client, type TestApi } from '../support/api.js';
import { jobOf, planOf, putPlan } from '../support/playable.js';
import { useStack } from '../support/stack.js';
import { readTopic } from '../support/topic.js';

jest.setTimeout(60_000);
const stack = useStack();
let config: Config;
let api: TestApi;
let worker: OpenContext;
let activities: Activities['media'];
let ours: Client;

beforeAll(async () => {
  config = await stack.isolated({ database: true, overrides: { log: { level: 'error' } } });
  api = await openApi(config);
  worker = await openContext(config, createLogger(config.log), { tools: false });
  activities = createActivities(worker.activities).media;
  ours = await api.as('ours');
}, 180_000);
afterAll(async () => {
  await worker.close();
  await api.close();
});

const MINUTE = 60_000;
const from = (milliseconds: number): string => new Date(Date.now() + milliseconds).toISOString();

async function received(own: Partial<Job> = {}): Promise<Job> {
  const job = jobOf({ tenant: 'ours', ...own });
  await api.ctx.catalogue.transition(job, { to: 'received', by: 'test', kind: 'video' });
  return job;
}

async function publish(job: Job): Promise<void> {
  const document = { id: job.assetId, kind: 'video', state: 'ready', renditions: [], playback: {} } as unknown;
  await api.ctx.catalogue.publish(job, {
    ...{ to: 'ready', by: 'test', kind: 'video', document: document as AssetDocument },
  });
}

const reportOf = (publishBy: string, own: Partial<DeadlineReport> = {}): DeadlineReport => ({
  ...{ state: 'at-risk', publishBy, projectedAt: new Date(Date.parse(publishBy) + 9_000).toISOString() },
  ...{ code: 'DEADLINE_AT_RISK', slackSeconds: -9, measures: ['priority', 'lanes'], ...own },
});

const announce = (job: Job, report: DeadlineReport): Promise<void> =>
  new MockActivityEnvironment().run(activities.announceDeadline, job, report);

const settle = (job: Job): Promise<DeadlineReport | undefined> =>
  new MockActivityEnvironment().run(() => settleDeadline(worker.activities, job));

async function told(job: Job): Promise<{ id: string; type: string; data: DeadlineReport }[]> {
  const records = await readTopic(config, config.kafka.resultsTopic);
  const events = records.map(({ value }) => JSON.parse(value!.toString()) as { id: string; type: string; data: never });
  return events.filter(
    ({ type, data }) => type === 'io.mediamill.asset.deadline' && (data as { assetId: string }).assetId === job.assetId,
  );
}

const seen = async (job: Job): Promise<{ deadline?: object; playable: boolean; updatedAt: string }> =>
  (await (await ours.get(`/v1/assets/${job.assetId}`)).json()) as never;

describe('a deadline', () => {
  it('is at risk, told of at once, and stays that until it is met', async () => {
    const publishBy = from(MINUTE);
    const job = await received({ publishBy });
    expect((await seen(job)).deadline).toEqual({ publishBy, state: 'on-time', measures: [] });

    const risk = reportOf(publishBy);
    await announce(job, risk);
    const shown = { publishBy, state: 'at-risk', slackSeconds: -9, measures: ['priority', 'lanes'] };
    expect((await seen(job)).deadline).toEqual({ ...shown, projectedAt: risk.projectedAt });
    // It looks better: that is written down, and nobody is told that there is no risk.
    const better = { ...reportOf(publishBy, { state: 'on-time', projectedAt: publishBy }), code: undefined };
    await announce(job, better);
    expect((await seen(job)).deadline).toEqual({ ...shown, projectedAt: publishBy, slackSeconds: 0 });
    // An attempt whose answer got lost.
    await announce(job, risk);

    await publish(job);
    const met = await settle(job);
    expect(met).toMatchObject({ state: 'met', publishBy, measures: ['priority', 'lanes'] });
    expect(met!.slackSeconds).toBeGreaterThan(0);
    expect(await settle(job)).toEqual(met);
    await announce(job, risk);
    expect((await seen(job)).deadline).toMatchObject({ state: 'met', projectedAt: met!.projectedAt });

    const events = await told(job);
    expect(events.map(({ data }) => data.state)).toEqual(['at-risk', 'at-risk', 'met', 'met']);
    // Copies are copies: consumers drop them by their id.
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
    expect(events[0]!.data).toMatchObject({ assetId: job.assetId, generation: 1, tenant: 'ours', ...risk });
  });

  it('that has passed is missed, however soon after it', async () => {
    const publishBy = from(-MINUTE);
    const job = await received({ publishBy });
    // Whoever is to say so has not begun: everybody can see it all the same.
    expect((await seen(job)).deadline).toEqual({ publishBy, state: 'at-risk', measures: [] });
    await publish(job);
    expect(await settle(job)).toMatchObject({ state: 'missed', code: 'DEADLINE_MISSED', publishBy });
    expect((await seen(job)).deadline).toMatchObject({ state: 'missed' });
  });

  it('is held against the first publication: later ones change nothing', async () => {
    const publishBy = from(MINUTE);
    const job = await received({ publishBy });
    await publish(job);
    const met = await settle(job);
    await publish({ ...job, generation: 2 });
    expect(await settle({ ...job, generation: 2 })).toEqual(met);
  });

  it('of nobody who named one is none', async () => {
    const job = await received();
    await publish(job);
    expect(await settle(job)).toBeUndefined();
    expect(await seen(job)).not.toHaveProperty('deadline');
    expect(await told(job)).toEqual([]);
  });

  it('that counts from the start of encoding is known from then on', async () => {
    const job = await received({ publicationTimeout: 30 });
    expect((await seen(job)).deadline).toEqual({ publicationTimeout: 30, measures: [] });
    const publishBy = from(30_000);
    await announce(job, reportOf(publishBy, { state: 'on-time', code: undefined, measures: [] }));
    expect((await seen(job)).deadline).toMatchObject({ publishBy, publicationTimeout: 30, state: 'on-time' });
  });

  it('may be told of before anybody has looked at the bytes', async () => {
    const job = jobOf({ tenant: 'ours', publishBy: from(-MINUTE) });
    await announce(job, reportOf(job.publishBy!));
    expect(await seen(job)).toMatchObject({ state: 'received', deadline: { state: 'at-risk' } });
    expect(await told(job)).toHaveLength(1);
  });

  it('is told to webhooks, once', async () => {
    const tenant = await api.as('hooked', { scopes: ['read', 'write', 'admin'] });
    const made = await tenant.send('POST', '/v1/webhooks', {
      ...{ url: 'https://hooks.example/', events: ['deadline.at-risk', 'deadline.met', 'deadline.missed'] },
    });
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as { id: string };
    const publishBy = from(MINUTE);
    const job = await received({ tenant: 'hooked', publishBy });
    for (let i = 0; i < 2; i++) await announce(job, reportOf(publishBy));
    await publish(job);
    for (let i = 0; i < 2; i++) await settle(job);
    const rows = await api.ctx.db
      .selectFrom('webhook_deliveries')
      .select(['type', 'payload'])
      .where('endpoint_id', '=', id)
      .orderBy('created_at')
      .execute();
    expect(rows.map(({ type }) => type)).toEqual(['deadline.at-risk', 'deadline.met']);
    expect(rows[0]!.payload).toMatchObject({
      ...{ type: 'deadline.at-risk', data: { assetId: job.assetId, deadline: { state: 'at-risk', publishBy } } },
    });
  });
});

describe('what an encode makes', () => {
  it('is the least of it while all that are needed do not fit, and everything again when they do', async () => {
    const db = worker.activities.db;
    const plan = planOf(60);
    const first = await received({ publishBy: from(MINUTE) });
    const second = await received({ publishBy: from(2 * MINUTE) });
    const rungs = plan.rungs.map(({ name }) => name);
    const forNow = (job: Job, own: Partial<ChunkRequest> = {}) =>
      rungsForNow(worker.activities, worker.activities, {
        ...{ job, plan, rungs, chunk: { firstSegment: 0, segments: 1 }, stills: false, isDivisible: true, ...own },
      });
    const least = [fromTheBottom(plan.rungs)[0]!.name];
    expect(rungs.length).toBeGreaterThan(1);

    // Nobody knows how fast a machine is, or what is needed.
    await declareDemand(worker.activities, first, plan);
    await declareDemand(worker.activities, second, plan);
    expect(await forNow(first)).toEqual(rungs);
    const { work } = (await openDemands(db)).find(({ assetId }) => assetId === first.assetId)!;
    expect(work).toBeGreaterThan(0);
    await noteSpeed(db, 'of a test', work / 300);
    expect(await forNow(first)).toEqual(least);
    expect(await forNow(second)).toEqual(least);
    // Who asks for one, or for all, has it.
    expect(await forNow(first, { isDivisible: undefined })).toEqual(rungs);
    expect(await forNow(first, { rungs: rungs.slice(0, 1) })).toEqual(rungs.slice(0, 1));

    // What is made is no demand any more, nor what nobody waits for.
    await noteDone(db, first.assetId, work);
    await noteDone(db, second.assetId, work * 2);
    expect((await openDemands(db)).map((one) => one.work)).toEqual([0, 0]);
    expect(await forNow(first)).toEqual(rungs);
    await declareDemand(worker.activities, first, plan);
    await publish(first);
    expect(await forNow(first)).toEqual(rungs);
    expect((await openDemands(db)).map(({ assetId }) => assetId)).toEqual([second.assetId]);
  });

  it('counts from the deadline that holds now', async () => {
    const job = await received({ publishBy: from(MINUTE) });
    await declareDemand(worker.activities, job, planOf(4));
    const later = from(60 * MINUTE);
    expect((await ours.send('PATCH', `/v1/assets/${job.assetId}`, { publishBy: later })).status).toBe(200);
    const mine = (await openDemands(worker.activities.db)).find(({ assetId }) => assetId === job.assetId);
    expect(mine!.neededBy).toBe(Date.parse(later));
  });
});

describe('a list', () => {
  it('is filtered by what becomes of deadlines, and sorted by what is needed first', async () => {
    const lister = await api.as('lister');
    const at = (minutes: number) => received({ tenant: 'lister', publishBy: from(minutes * MINUTE) });
    const [late, soon, never, past] = [await at(9), await at(3), await received({ tenant: 'lister' }), await at(-5)];
    await announce(soon, reportOf(soon.publishBy!));
    const ids = async (query: string): Promise<string[]> => {
      const answer = (await (await lister.get(`/v1/assets?${query}`)).json()) as { items: { id: string }[] };
      return answer.items.map(({ id }) => id);
    };
    expect(await ids('sort=deadline')).toEqual([past, soon, late, never].map(({ assetId }) => assetId));
    expect(await ids('sort=deadline&deadline=at-risk')).toEqual([past.assetId, soon.assetId]);
    expect(await ids('deadline=on-time')).toEqual([late.assetId]);
    expect(await ids('deadline=met&deadline=missed')).toEqual([]);
    await publish(past);
    await new MockActivityEnvironment().run(() => settleDeadline(worker.activities, past));
    expect(await ids('deadline=missed')).toEqual([past.assetId]);

    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ sort: 'deadline', limit: '1', ...(cursor && { cursor }) });
      const page = (await (await lister.get(`/v1/assets?${query.toString()}`)).json()) as never as {
        items: { id: string }[];
        next?: string;
      };
      paged.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    } while (cursor);
    expect(paged).toEqual([past, soon, late, never].map(({ assetId }) => assetId));
    expect(await problemOf(await lister.get('/v1/assets?deadline=soon'))).toBe('400 invalid-request');
  });
});

describe('a change', () => {
  it('of what has not begun goes to the job too; null takes it back', async () => {
    const job = await received({ publishBy: from(MINUTE) });
    const path = `/v1/assets/${job.assetId}`;
    await announce(job, reportOf(job.publishBy!));
    const [publishBy, publishNotBefore] = [from(5 * MINUTE), from(2 * MINUTE)];
    // Times of another zone are the same instants.
    const inIndia = `${new Date(Date.parse(publishBy) + 5.5 * 60 * MINUTE).toISOString().slice(0, -1)}+05:30`;
    const changed = await ours.send('PATCH', path, { publishBy: inIndia, publishNotBefore });
    expect(await changed.json()).toMatchObject({
      deadline: { publishBy, notBefore: publishNotBefore, state: 'on-time' },
    });
    expect((await api.ctx.catalogue.find(job.assetId))?.job).toEqual({ ...job, publishBy, publishNotBefore });
    const without = await ours.send('PATCH', path, { publishBy: null, publishNotBefore: null });
    expect(await without.json()).not.toHaveProperty('deadline');
    const { publishBy: _, ...rest } = job;
    expect((await api.ctx.catalogue.find(job.assetId))?.job).toEqual(rest);
  });

  it('that makes no sense is refused', async () => {
    const job = await received({ publishBy: from(MINUTE) });
    const path = `/v1/assets/${job.assetId}`;
    for (const body of [
      ...[{ publishBy: 'soon' }, { publishBy: '2030-01-01' }, { publishBy: '2030-01-01T00:00:00' }, { publishBy: 1 }],
    ])
      expect([body, await problemOf(await ours.send('PATCH', path, body))]).toEqual([body, '400 invalid-request']);
    const held = await ours.send('PATCH', path, { publishNotBefore: from(2 * MINUTE) });
    expect(await problemOf(held)).toBe('422 deadline-refused');
    await publish(job);
    const late = await ours.send('PATCH', path, { publishBy: from(9 * MINUTE) });
    expect(await problemOf(late)).toBe('409 conflict');
  });
});

describe('an upload', () => {
  const upload = (query: Record<string, string>): Promise<Response> =>
    ours.request(`/v1/assets?${new URLSearchParams(query).toString()}`, {
      method: 'POST',
      headers: { 'content-type': 'video/mp4' },
      body: Buffer.from(`a film ${JSON.stringify(query)}`),
    });

  it('says when it is needed', async () => {
    const said = { publishBy: from(9 * MINUTE), publicationTimeout: '12.5', publishNotBefore: from(MINUTE) };
    const answer = await upload(said);
    expect(answer.status).toBe(201);
    const asset = (await answer.json()) as { id: string };
    const { publishBy, publishNotBefore: notBefore } = said;
    expect(asset).toMatchObject({ deadline: { publishBy, publicationTimeout: 12.5, notBefore, state: 'on-time' } });
    const { publicationTimeout: _, ...times } = said;
    expect((await api.ctx.catalogue.find(asset.id))?.job).toMatchObject({ ...times, publicationTimeout: 12.5 });
    const { payload } = await api.ctx.db
      .selectFrom('outbox')
      .select('payload')
      .where('kind', '=', 'upload')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    expect(payload).toMatchObject({ event: { ...times, publicationTimeout: 12.5 } });
  });

  it('that comes too late is taken, and seen to be late', async () => {
    const answer = await upload({ publishBy: '1999-12-31T23:00:00-01:00' });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({
      deadline: { publishBy: '2000-01-01T00:00:00.000Z', state: 'at-risk' },
    });
  });

  it.each([
    [{ publishBy: 'tomorrow' }],
    [{ publishBy: '2030-01-01T00:00:00' }],
    [{ publicationTimeout: '-1' }],
    [{ publicationTimeout: '0' }],
    [{ publicationTimeout: '9999999' }],
  ])('that says %j is refused', async (said) => {
    expect(await problemOf(await upload(said as Record<string, string>))).toBe('400 invalid-request');
  });

  it.each([
    [{ publishNotBefore: '2031-01-01T00:00:00Z', publishBy: '2030-01-01T00:00:00Z' }],
    [{ publishBy: '0001-01-01T00:00:00Z' }],
  ])('that says %j is refused, though each time is one', async (said) => {
    expect(await problemOf(await upload(said as Record<string, string>))).toBe('422 deadline-refused');
  });
});

describe('what is held back', () => {
  it('is seen by nobody until its time, and then at once', async () => {
    const job = await received({ publishNotBefore: from(4_000) });
    const open = await api.as('ours', { scopes: ['read'] });
    await putPlan(api.ctx.store, config.storage.mediaBucket, job, planOf(20));
    await api.ctx.catalogue.transition(job, { to: 'playable', by: 'test', kind: 'video' });
    const play = `/v1/assets/${job.assetId}/play/g1/master.m3u8`;

    const refused = await open.get(play);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problemOf(refused)).toBe('403 embargoed');
    for (const path of ['master.m3u8', 'manifest.mpd', 'images/poster.jpg', 'storyboard/storyboard.vtt', 'g1/x'])
      expect(await problemOf(await open.get(`/v1/assets/${job.assetId}/play/${path}`))).toBe('403 embargoed');
    const token = await ours.send('POST', `/v1/assets/${job.assetId}/playback-token`);
    expect(await problemOf(token)).toBe('403 embargoed');
    expect(await seen(job)).toMatchObject({ playable: false, playback: {} });

    let answer = await open.get(play);
    while (answer.status === 403) {
      await sleep(50);
      answer = await open.get(play);
    }
    expect(answer.status).toBe(200);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(job.publishNotBefore!));
    expect(await seen(job)).toMatchObject({ playable: true });
  });
});
