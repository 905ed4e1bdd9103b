/** Who may play, and where players get the bytes: from a real store, of a server that asks for keys. */
import { createHash, randomBytes } from 'node:crypto';
import { request as rawRequest } from 'node:http';
import { jest } from '@jest/globals';
import { SignJWT } from 'jose';
import { Parser } from 'm3u8-parser';
import { parse as parseMpd } from 'mpd-parser';

import type { Config } from '../../src/config/schema.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import type { VideoPlan } from '../../src/contracts/plan.js';
import { manifestFiles } from '../../src/media/video/manifests.js';
import { plannedPresentation } from '../../src/media/video/presentation.js';
import { storyboardVtt } from '../../src/media/video/stills.js';
import { subtitleDurations } from '../../src/media/video/subtitles.js';
import { openApi, problemOf, TOKEN_SECRET, type Client, type TestApi } from '../support/api.js';
import { jobOf, planOf, putPart, putPlan, subtitles } from '../support/playable.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(60_000);
const stack = useStack();
let config: Config;
let api: TestApi;
let acme: Client;
let other: Client;

const SEGMENT = randomBytes(5_000);
const storyboard = { intervalFrames: 50, tiles: 10, tileWidth: 160, tileHeight: 90, columns: 5, rows: 2 };
const FILM = planOf(20, {
  subtitles: [subtitles('subs-0-eng', { language: 'eng' })],
  stills: { posterFrames: [], storyboard: { ...storyboard, format: 'jpeg' } },
});

beforeAll(async () => {
  const { http } = stack.config;
  config = await stack.isolated({ overrides: { http: { ...http, auth: 'keys', tokenSecret: TOKEN_SECRET } } });
  api = await openApi(config);
  acme = await api.as('acme', { scopes: ['read'] });
  other = await api.as('other');
});

afterAll(() => api.close());

async function growing(plan: VideoPlan = FILM): Promise<Job> {
  const job = jobOf({ tenant: 'acme' });
  await putPlan(api.ctx.store, config.storage.mediaBucket, job, plan);
  await api.ctx.catalogue.transition(job, { to: 'processing', by: 'test', kind: plan.kind });
  return job;
}

const put = (job: Job, path: string, text: string): Promise<void> =>
  putPart(api.ctx.store, config.storage.mediaBucket, job, path, Buffer.from(text));

/** As publishing would have left it. The segments are all the same. */
async function published(plan: VideoPlan = FILM): Promise<Job> {
  const job = await growing(plan);
  const names = plan.subtitles.map(({ name }) => name);
  const { grid, stills } = plan;
  const presentation = {
    ...plannedPresentation(plan, names),
    growing: false,
    ...(stills.storyboard && { storyboard: { plan: stills.storyboard, bytes: 1000 } }),
  };
  for (const [path, text] of manifestFiles(presentation, subtitleDurations(plan))) await put(job, path, text);
  if (stills.storyboard) {
    await put(job, 'storyboard/storyboard.vtt', storyboardVtt(stills.storyboard, grid!, grid!.totalFrames));
    await put(job, 'storyboard/sheet-000.jpg', 'a sheet');
  }
  const { store } = api.ctx;
  const prefix = outputPrefix(job.assetId, job.generation);
  const bucket = config.storage.mediaBucket;
  for (const path of ['video/720p/init.mp4', 'video/720p/seg-00000.m4s'])
    await store.putBytes(bucket, prefix + path, SEGMENT, { contentType: 'video/mp4' });
  await store.putBytes(bucket, `${prefix}audio/audio-0-eng/seg-00000.m4s`, SEGMENT, { contentType: 'audio/mp4' });
  await store.putBytes(bucket, `${prefix}subs/subs-0-eng/seg-00000.vtt`, SEGMENT, { contentType: 'text/vtt' });
  await store.putBytes(bucket, `${prefix}subs/subs-0-eng/subs.vtt`, SEGMENT, { contentType: 'text/vtt' });
  await api.ctx.catalogue.publish(job, {
    to: 'ready',
    by: 'test',
    kind: plan.kind,
    document: { id: job.assetId, renditions: [] } as never,
  });
  return job;
}

const pathOf = (job: Job, path: string): string => `/v1/assets/${job.assetId}/play/${path}`;
/** Without a key. */
const ask = (job: Job, path: string, init?: RequestInit): Promise<Response> =>
  fetch(api.url + pathOf(job, path), { redirect: 'manual', ...init });

interface Given {
  token: string;
  expiresAt: string;
  hls: string;
  dash: string;
}
const tokenFor = async (job: Job, body?: object): Promise<Given> => {
  const response = await acme.send('POST', `/v1/assets/${job.assetId}/playback-token`, body);
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return (await response.json()) as Given;
};

const hls = (text: string) => {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
};
const textOf = async (response: Response): Promise<string> => {
  expect(response.status).toBe(200);
  return response.text();
};

describe('who may play', () => {
  it('lets nobody in without a token or a key', async () => {
    const job = await published();
    for (const path of ['master.m3u8', 'g1/master.m3u8', 'g1/video/720p/seg-00000.m4s']) {
      const refused = await ask(job, path);
      expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await problemOf(refused)).toBe('401 unauthorized');
    }
    // What is not there says no more than what is.
    const nothing = await fetch(`${api.url}/v1/assets/000000000000000000000000/play/master.m3u8`);
    expect(await problemOf(nothing)).toBe('401 unauthorized');
  });

  it('takes the key of the tenant, and shows others nothing', async () => {
    const job = await published();
    const own = await acme.request(pathOf(job, 'g1/master.m3u8'));
    expect([own.status, own.headers.get('cache-control')]).toEqual([200, 'private, max-age=10']);
    const unknown = jobOf();
    const answers = [
      await other.request(pathOf(job, 'g1/master.m3u8')),
      await other.request(pathOf(unknown, 'g1/master.m3u8')),
      await other.send('POST', `/v1/assets/${job.assetId}/playback-token`),
      await other.send('POST', `/v1/assets/${unknown.assetId}/playback-token`),
    ];
    for (const answer of answers) expect(await problemOf(answer)).toBe('404 asset-unknown');
  });

  it('takes a token for the one asset, as long as it is good', async () => {
    const job = await published();
    const before = Date.now();
    const { token, expiresAt, hls: url, dash } = await tokenFor(job, { seconds: 60 });
    expect(Math.abs(Date.parse(expiresAt) - before - 60_000)).toBeLessThan(5_000);
    for (const [entry, file] of [[url, 'master.m3u8'], [dash, 'manifest.mpd']] as const)
      expect(entry).toMatch(new RegExp(`^http.*${pathOf(job, file)}\\?token=${token}$`)); // prettier-ignore
    expect((await ask(job, `g1/master.m3u8?token=${token}`)).status).toBe(200);
    const elsewhere = await published();
    expect(await problemOf(await ask(elsewhere, `master.m3u8?token=${token}`))).toBe('404 asset-unknown');
    // A token plays, and does nothing else.
    const asKey = { headers: { authorization: `Bearer ${token}` } };
    expect(await problemOf(await fetch(`${api.url}/v1/assets/${job.assetId}`, asKey))).toBe('401 unauthorized');
    expect(await problemOf(await fetch(`${api.url}/v1/assets/${job.assetId}?token=${token}`))).toBe('401 unauthorized');

    const sign = (asset: string, tenant: string, exp: number, secret = TOKEN_SECRET) =>
      new SignJWT({ asset, tenant })
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience('mediamill:play')
        .setExpirationTime(exp)
        .sign(new TextEncoder().encode(secret));
    const now = Math.floor(Date.now() / 1000);
    for (const [signed, expected] of [
      [await sign(job.assetId, 'acme', now + 60), 200],
      [await sign(job.assetId, 'acme', now - 1), '401 unauthorized'],
      [await sign(job.assetId, 'other', now + 60), '404 asset-unknown'],
      [await sign(job.assetId, 'acme', now + 60, `${TOKEN_SECRET}!`), '401 unauthorized'],
      ['x', '401 unauthorized'],
      ['x'.repeat(3_000), '400 invalid-request'],
    ] as const) {
      const answer = await ask(job, `g1/master.m3u8?token=${signed}`);
      expect(typeof expected === 'number' ? answer.status : await problemOf(answer)).toBe(expected);
    }
  });

  it('gives tokens for what will play, and for so long as is allowed', async () => {
    const job = jobOf({ tenant: 'acme' });
    await api.ctx.catalogue.transition(job, { to: 'received', by: 'test' });
    expect((await tokenFor(job)).token).not.toBe('');
    const path = `/v1/assets/${job.assetId}/playback-token`;
    for (const body of [{ seconds: 9 }, { seconds: 604_801 }, { seconds: '60' }, { second: 60 }, []])
      expect(await problemOf(await acme.send('POST', path, body))).toBe('400 invalid-request');
    await api.ctx.catalogue.transition(job, { to: 'deleted', by: 'test' });
    expect(await problemOf(await acme.send('POST', path))).toBe('410 asset-deleted');
    const picture = jobOf({ tenant: 'acme' });
    await api.ctx.catalogue.transition(picture, { to: 'processing', by: 'test', kind: 'image' });
    expect(await problemOf(await acme.send('POST', `/v1/assets/${picture.assetId}/playback-token`))).toBe(
      '404 asset-not-playable',
    );
  });
});

describe('a token goes on by itself', () => {
  it('into all that is named while it grows', async () => {
    const job = await growing();
    const { token, hls: entry } = await tokenFor(job);
    const first = await fetch(api.url + new URL(entry).pathname + new URL(entry).search, { redirect: 'manual' });
    expect(first.headers.get('location')).toBe(`g1/master.m3u8?token=${token}`);
    const master = hls(await textOf(await ask(job, `g1/master.m3u8?token=${token}`)));
    const named = [
      ...master.playlists.map(({ uri }) => uri),
      ...Object.values(master.mediaGroups.AUDIO.audio!).map(({ uri }) => uri),
      ...Object.values(master.mediaGroups.SUBTITLES.subs!).map(({ uri }) => uri),
    ];
    expect(named).toHaveLength(4);
    for (const uri of named) {
      expect(uri).toMatch(/index\.m3u8\?token=/);
      for (const segment of hls(await textOf(await ask(job, `g1/${uri}`))).segments)
        expect(segment.uri.endsWith(`?token=${token}`)).toBe(true);
    }
    const rung = hls(await textOf(await ask(job, `g1/video/720p/index.m3u8?token=${token}`)));
    expect(rung.segments[0]!.map.uri).toBe(`init.mp4?token=${token}`);
    await put(job, 'video/720p/seg-00000.m4s', 'media');
    const segment = await ask(job, `g1/video/720p/${rung.segments[0]!.uri}`);
    expect(await (await fetch(segment.headers.get('location')!)).text()).toBe('media');
    const manifest = await textOf(await ask(job, `g1/manifest.mpd?token=${token}`));
    const [video] = parseMpd(manifest, { manifestUri: `${api.url}${pathOf(job, 'g1/manifest.mpd')}` }).playlists;
    expect(video!.segments[0]!.resolvedUri).toMatch(/\/play\/g1\/video\/\w+\/seg-00000\.m4s\?token=/);
    expect(manifest).toContain(`<BaseURL>subs/subs-0-eng/subs.vtt?token=${token}</BaseURL>`);
    // Nothing of a stranger's gets into a text, and nothing of one viewer's into another's.
    expect(await textOf(await acme.request(pathOf(job, 'g1/master.m3u8')))).not.toContain('token');
  });

  it('into the playlists of what is published', async () => {
    const job = await published();
    const { token } = await tokenFor(job);
    const master = hls(await textOf(await ask(job, `g1/master.m3u8?token=${token}`)));
    for (const { uri } of master.playlists) expect(uri.endsWith(`/index.m3u8?token=${token}`)).toBe(true);
    // The store asks for no token of ours.
    for (const path of ['video/720p/index.m3u8', 'manifest.mpd'])
      expect(await textOf(await ask(job, `g1/${path}?token=${token}`))).not.toContain('token=');
  });
});

/** A GET with nothing but what is asked for, as a player of another origin would send it. */
const fetchPart = (url: string): Promise<Response> =>
  fetch(url, { headers: { range: 'bytes=100-199', origin: 'https://page.example' } });

describe('the bytes come from the store', () => {
  it('to nobody without a signature, but for images', async () => {
    const { store } = api.ctx;
    const prefix = outputPrefix('a'.repeat(24), 1);
    const statusOf = async (path: string): Promise<number> => {
      await store.putBytes(config.storage.mediaBucket, prefix + path, SEGMENT, { contentType: 'video/mp4' });
      return (await fetch(store.publicUrl(config.storage.mediaBucket, prefix + path))).status;
    };
    expect(await statusOf('images/thumb.jpg')).toBe(200);
    for (const path of ['video/720p/seg-00000.m4s', 'master.m3u8', 'asset.json', 'storyboard/sheet-000.jpg'])
      expect(await statusOf(path)).toBe(403);
  });

  it('by URLs that need nothing else: with ranges, types, and for pages of any origin', async () => {
    const job = await published();
    const { origin, host } = new URL(config.storage.endpoint);
    const types = { 'video/720p': 'video/mp4', 'audio/audio-0-eng': 'audio/mp4', 'subs/subs-0-eng': 'text/vtt' };
    for (const [folder, type] of Object.entries(types)) {
      const playlist = await acme.request(pathOf(job, `g1/${folder}/index.m3u8`));
      expect(playlist.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
      const { segments } = hls(await textOf(playlist));
      const url = new URL(segments[0]!.uri);
      expect(url.origin).toBe(origin);
      expect(url.searchParams.get('X-Amz-Signature')).toMatch(/^[0-9a-f]{64}$/);
      const part = await fetchPart(segments[0]!.uri);
      expect(part.status).toBe(206);
      expect(part.headers.get('content-type')).toBe(type);
      expect(part.headers.get('content-range')).toBe(`bytes 100-199/${SEGMENT.length}`);
      expect(part.headers.get('access-control-allow-origin')).toMatch(/^(\*|https:\/\/page\.example)$/);
      expect(Buffer.from(await part.arrayBuffer())).toEqual(SEGMENT.subarray(100, 200));
      // The name of an object is signed: the URL of one opens no other.
      const stolen = segments[0]!.uri.replace(/assets\/[^?]+/, `assets/${job.assetId}/g1/made.json`);
      expect(new URL(stolen).host).toBe(host);
      expect((await fetch(stolen)).status).toBe(403);
    }
  });

  it('in DASH too, subtitles and sheets included', async () => {
    const job = await published();
    const response = await acme.request(pathOf(job, 'g1/manifest.mpd'));
    expect(response.headers.get('content-type')).toBe('application/dash+xml');
    const text = await textOf(response);
    const { playlists } = parseMpd(text, { manifestUri: 'https://nowhere.example/' });
    const rung = playlists.find(({ attributes }) => attributes.NAME === '720p')!;
    expect(rung.segments).toHaveLength(5);
    const urls = [rung.segments[0]!.map.resolvedUri, rung.segments[0]!.resolvedUri];
    for (const url of urls) expect((await fetchPart(url)).status).toBe(206);
    const [subs] = /(?<=<BaseURL>)[^<]+/.exec(text)!;
    expect((await fetch(subs.replaceAll('&amp;', '&'))).status).toBe(200);
    const [sheet] = /(?<=media=")[^"]*sheet-000[^"]*/.exec(text)!;
    expect(await (await fetch(sheet.replaceAll('&amp;', '&'))).text()).toBe('a sheet');
    const cues = await acme.request(pathOf(job, 'g1/storyboard/storyboard.vtt'));
    expect(cues.headers.get('content-type')).toMatch(/^text\/vtt/);
    const [cue] = /^http\S+(?=#xywh=0,0,160,90$)/m.exec(await textOf(cues))!;
    expect(await (await fetch(cue)).text()).toBe('a sheet');
  });

  it('for as long as the film lasts, and the same for a while', async () => {
    const long = await published(planOf(7200));
    const seconds = async (job: Job): Promise<number> => {
      const { segments } = hls(await textOf(await acme.request(pathOf(job, 'g1/video/720p/index.m3u8'))));
      const { searchParams: of } = new URL(segments[0]!.uri);
      const [, y, m, d, h, min, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(of.get('X-Amz-Date')!)!;
      const signed = Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`);
      return (signed - Date.now()) / 1000 + Number(of.get('X-Amz-Expires'));
    };
    const { signedUrlSeconds } = config.http;
    expect(await seconds(long)).toBeGreaterThan(2 * 7200 + signedUrlSeconds - 5);
    expect(await seconds(long)).toBeLessThan(2 * 7200 + 2 * signedUrlSeconds + 5);
    expect(await seconds(await published())).toBeLessThan(2 * 20 + 2 * signedUrlSeconds + 5);
    const digest = async (): Promise<string> =>
      createHash('sha256').update(await textOf(await acme.request(pathOf(long, 'g1/manifest.mpd')))).digest('hex'); // prettier-ignore
    expect(await digest()).toBe(await digest());
  });

  it('by way of us where a manifest would get too long', async () => {
    const job = await published(planOf(10 * 3600));
    const { token } = await tokenFor(job);
    const text = await textOf(await ask(job, `g1/manifest.mpd?token=${token}`));
    expect(text).toContain(`seg-$Number%05d$.m4s?token=${token}`);
    expect(text).not.toContain('SegmentURL');
    const segment = await ask(job, `g1/video/720p/seg-00000.m4s?token=${token}`);
    expect((await fetchPart(segment.headers.get('location')!)).status).toBe(206);
  });

  it('of the asset that made them, where the same bytes were uploaded before', async () => {
    const first = await published();
    const twin = jobOf({ tenant: 'acme' });
    const document = { id: twin.assetId, renditions: [] } as never;
    const outputsPrefix = outputPrefix(first.assetId, 1);
    await api.ctx.catalogue.publish(twin, { to: 'ready', by: 'test', kind: 'video', document, outputsPrefix });
    const { segments } = hls(await textOf(await acme.request(pathOf(twin, 'g1/video/720p/index.m3u8'))));
    expect(segments[0]!.uri).toContain(`/${outputsPrefix}video/720p/seg-00000.m4s?`);
    expect((await fetchPart(segments[0]!.uri)).status).toBe(206);
  });

  it('or from a CDN', async () => {
    const job = await published();
    const cdn = await openApi(config, { http: { cdnUrl: 'https://cdn.example/media/' } });
    try {
      const headers = { authorization: `Bearer ${acme.key}` };
      const get = (path: string) => fetch(cdn.url + pathOf(job, path), { headers, redirect: 'manual' });
      const base = `https://cdn.example/media/${outputPrefix(job.assetId, 1)}`;
      const { segments } = hls(await textOf(await get('g1/video/720p/index.m3u8')));
      expect([segments[0]!.uri, segments[0]!.map.uri]).toEqual([
        `${base}video/720p/seg-00000.m4s`,
        `${base}video/720p/init.mp4`,
      ]);
      const text = await textOf(await get('g1/manifest.mpd'));
      const { playlists } = parseMpd(text, { manifestUri: 'https://nowhere.example/' });
      expect(playlists[0]!.segments[1]!.resolvedUri).toMatch(/^https:\/\/cdn\.example\/media\/.*\/seg-00001\.m4s$/);
      expect(text).toContain('$Number%05d$');
      expect((await get('g1/video/720p/seg-00000.m4s')).headers.get('location')).toBe(
        `${base}video/720p/seg-00000.m4s`,
      );
    } finally {
      await cdn.close();
    }
  });
});

describe('pages of other origins', () => {
  const preflight = (url: string, method: string, origin: string) =>
    fetch(`${url}/v1/assets/${'0'.repeat(24)}`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
    });

  it('may ask with a key', async () => {
    const asked = await preflight(api.url, 'DELETE', 'https://app.example');
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe('*');
    expect(asked.headers.get('access-control-allow-methods')).toContain('DELETE');
    expect(asked.headers.get('access-control-allow-headers')).toBe('authorization');
  });

  it('are those that are allowed, where some are named', async () => {
    const named = await openApi(config, { http: { allowedOrigins: ['https://app.example'] } });
    try {
      const of = async (origin: string) =>
        (await preflight(named.url, 'GET', origin)).headers.get('access-control-allow-origin');
      expect([await of('https://app.example'), await of('https://evil.example')]).toEqual([
        'https://app.example',
        null,
      ]);
    } finally {
      await named.close();
    }
  });

  it('play of an open server, and change nothing there', async () => {
    const open = await openApi(config, { http: { auth: 'off', allowedOrigins: ['*', 'https://app.example'] } });
    try {
      const job = await published();
      const send = (method: string, path: string, headers: Record<string, string>): Promise<number> =>
        new Promise((resolve, reject) => {
          const { port } = new URL(open.url);
          // `fetch` sets Host itself.
          rawRequest({ host: '127.0.0.1', port, method, path, headers }, (response) => {
            response.resume();
            resolve(response.statusCode!);
          })
            .on('error', reject)
            .end();
        });
      const path = `/v1/assets/${job.assetId}/playback-token`;
      const { host } = new URL(open.url);
      expect(await send('GET', pathOf(job, 'g1/master.m3u8'), { origin: 'https://evil.example' })).toBe(200);
      expect(await send('POST', path, {})).not.toBe(403);
      expect(await send('POST', path, { origin: `http://${host}` })).not.toBe(403);
      expect(await send('POST', path, { origin: 'https://app.example' })).not.toBe(403);
      for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1'])
        expect(await send('POST', path, { origin })).toBe(403);
      // A name that leads here today.
      for (const method of ['GET', 'POST'])
        expect(await send(method, path, { host: 'rebound.example', origin: 'http://rebound.example' })).toBe(403);
    } finally {
      await open.close();
    }
  });
});
