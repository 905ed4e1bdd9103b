/** Every kind of profile from the event to `ready`: real servers, workers, starter and tools; small media. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Parser } from 'm3u8-parser';
import { parse as parseMpd } from 'mpd-parser';

import { verifyPublished } from '../../src/activities/publish/verify-published.js';
import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { Config } from '../../src/config/schema.js';
import type { StoredPlan } from '../../src/contracts/activities.js';
import { FINAL_STATES, type AssetDocument } from '../../src/contracts/assets.js';
import { assetIdOf } from '../../src/contracts/ids.js';
import { createLogger } from '../../src/logging/index.js';
import { refusals } from '../../src/media/video/hls-rules.js';
import { planKey } from '../../src/media/video/layout.js';
import { createProducer } from '../../src/messaging/kafka.js';
import { decodeAll } from '../../src/starters/cli/decode-check.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const run = promisify(execFile);
const stack = useStack();
const LONG = 240_000;

const PROFILES = {
  'codecs.yaml': `extends: default
rungs:
  - { size: 180, codec: h264, crf: 26, capKbps: 600 }
  - { size: 180, codec: hevc, crf: 30, capKbps: 500 }
  - { size: 180, codec: av1, crf: 45, capKbps: 500 }
  - { size: 180, codec: vp9, crf: 45, capKbps: 500 }
  - { size: 90, codec: h264, crf: 26, capKbps: 300 }
presets: { h264: ultrafast, hevc: ultrafast, av1: '12', vp9: '8' }
`,
  'surround.yaml': 'extends: default\naudio: { surround: true }\n',
  'marked.yaml':
    'extends: default\nwatermark: { file: logo.png, corner: top-left, width: 0.25, margin: 0, opacity: 1 }\nposter: { atSeconds: 3 }\n',
};

let dir: string;
let config: Config;
let store: ObjectStore;
let catalogue: Catalogue;
let processes: OwnProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-profiles-'));
  const profiles = join(dir, 'profiles');
  await mkdir(profiles);
  for (const [name, text] of Object.entries(PROFILES)) await writeFile(join(profiles, name), text);
  await ffmpeg('-f', 'lavfi', '-i', 'color=red:s=64x64', '-frames:v', '1', join(profiles, 'logo.png'));
  config = await stack.isolated({
    database: true,
    overrides: { profiles: { dir: profiles }, scratch: { ...stack.config.scratch, dir: join(dir, 'scratch') } },
  });
  store = createObjectStore(config.storage);
  catalogue = createCatalogue(config.catalogue);
  processes = await Promise.all([
    startProcess('workers/all.js', config, 'worker ready'),
    startProcess('starters/kafka/main.js', config, 'starter ready'),
  ]);
}, LONG);

afterAll(async () => {
  for (const one of processes) one.kill('SIGTERM');
  const codes = await Promise.all(processes.map(({ exited }) => exited));
  await catalogue.close();
  await rm(dir, { recursive: true });
  expect(codes).toEqual([0, 0]);
}, 60_000);

const ffmpeg = (...args: string[]): Promise<unknown> => run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args]);
const picture = (seconds: number, size = '320x180'): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25:d=${seconds}`],
];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

interface Ended {
  readonly document: AssetDocument;
  readonly stored: StoredPlan | undefined;
}

/** From the event to the end. */
async function processed(name: string, profile: string, make: (file: string) => Promise<unknown>): Promise<Ended> {
  const file = join(dir, name);
  await make(file);
  const bucket = config.storage.uploadsBucket;
  await store.putFile(bucket, name, file, { contentType: 'application/octet-stream' });
  const { etag, versionId } = await store.stat(bucket, name);
  const id = assetIdOf({ bucket, key: name, etag, versionId });
  const producer = await createProducer(config.kafka, createLogger({ ...config.log, level: 'error' }));
  const event = { specversion: '1.0', id: name, source: '/test', type: 'upload', data: { bucket, key: name, profile } };
  await producer.send([{ topic: config.kafka.uploadsTopic, key: null, value: JSON.stringify(event) }]);
  await producer.close();
  let document: AssetDocument | undefined;
  await until(
    `${name} ends\n${processes.flatMap(({ log }) => log.slice(-10)).join('\n')}`,
    async () => {
      const row = await catalogue.find(id);
      if (row && FINAL_STATES.includes(row.state)) document = row.document ?? undefined;
      return document !== undefined;
    },
    LONG,
  );
  if (document!.state === 'failed') return { document: document!, stored: undefined };
  const text = await store.read(config.storage.mediaBucket, planKey({ assetId: id, generation: 1 }));
  return { document: document!, stored: JSON.parse(text.toString()) as StoredPlan };
}

/** What every published video must be. @returns the master playlist */
async function assertSound({ document }: Ended) {
  expect(document).toMatchObject({ state: 'ready' });
  expect(document.missing ?? []).toEqual([]);
  const shelf = { store, bucket: config.storage.mediaBucket };
  const { findings, violations } = await verifyPublished(shelf, { assetId: document.id, generation: 1, document });
  expect(findings).toEqual([]);
  expect(refusals(violations)).toEqual([]);
  expect((await decodeAll(document)).filter(({ problem }) => problem)).toEqual([]);

  const parser = new Parser();
  parser.push(await (await fetch(document.playback.hls!)).text());
  parser.end();
  const mpd = parseMpd(await (await fetch(document.playback.dash!)).text(), { manifestUri: document.playback.dash! });
  const names = new Set(document.renditions.filter(({ type }) => type === 'video').map(({ name }) => name));
  expect(mpd.playlists).toHaveLength(names.size);
  const uris = parser.manifest.playlists.map(({ uri }) => uri.split('/')[1]!);
  expect(new Set(uris)).toEqual(names.size > 0 ? names : new Set([...uris]));
  return parser.manifest;
}

const names = ({ document }: Ended, type: string): string[] =>
  document.renditions.filter((rendition) => rendition.type === type).map(({ name }) => name);

test(
  'rungs in four codecs',
  async () => {
    const sources = [...picture(5), '-f', 'lavfi', '-i', 'sine=d=5'];
    const ended = await processed('codecs.mp4', 'codecs', (file) => ffmpeg(...sources, ...H264, file));
    const { playlists } = await assertSound(ended);
    expect(names(ended, 'video').sort()).toEqual(['180p', '180p-av1', '180p-hevc', '180p-vp9', '90p']);
    const codecs = playlists.map(({ attributes }) => String(attributes.CODECS).split(/[.,]/)[0]);
    expect(new Set(codecs)).toEqual(new Set(['avc1', 'hvc1', 'av01', 'vp09']));
  },
  LONG,
);

test(
  'sound of 5.1 in stereo and as it is; subtitles of which nothing is shown are not missed',
  async () => {
    const [late, blank] = [join(dir, 'late.srt'), join(dir, 'blank.srt')];
    await writeFile(late, '1\n00:01:00,000 --> 00:01:02,000\nToo late\n');
    await writeFile(blank, '1\n00:00:01,000 --> 00:00:02,000\n \n');
    const ended = await processed('surround.mkv', 'surround', (file) =>
      ffmpeg(
        ...[...picture(5), '-f', 'lavfi', '-i', 'anoisesrc=d=5:a=0.1:r=48000,aformat=channel_layouts=mono'],
        ...['-i', late, '-i', blank, '-map', '0', '-map', '1', '-map', '2', '-map', '3', ...H264],
        ...['-af', 'pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0', '-c:a', 'ac3', '-c:s', 'srt', file],
      ),
    );
    const { mediaGroups } = await assertSound(ended);
    expect(ended.stored!.plan.subtitles).toHaveLength(1);
    expect(names(ended, 'subtitles')).toEqual([]);
    expect(names(ended, 'audio')).toEqual(['audio-0', 'audio-0-51']);
    expect(Object.keys(mediaGroups.AUDIO)).toHaveLength(2);
    const { stdout } = await run('ffprobe', [
      ...['-v', 'error', '-show_entries', 'stream=channels', '-of', 'csv=p=0'],
      ended.document.renditions.find(({ name }) => name === 'audio-0-51')!.url,
    ]);
    expect(stdout.trim().split('\n').at(-1)).toBe('6');
  },
  LONG,
);

test(
  'the frames of a source that fits',
  async () => {
    const bt709 = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];
    const gops = ['-g', '50', '-sc_threshold', '0', ...bt709];
    const ended = await processed('fits.mp4', 'archive', (file) =>
      ffmpeg(...picture(9, '854x480'), ...H264, '-crf', '30', ...gops, file),
    );
    await assertSound(ended);
    expect(ended.stored!.plan.rungs.map(({ name, passthrough }) => [name, passthrough])).toEqual([
      ['480p', true],
      ['360p', undefined],
    ]);
  },
  LONG,
);

test(
  'a watermark, and a poster of a time',
  async () => {
    const ended = await processed('marked.mp4', 'marked', (file) =>
      ffmpeg('-f', 'lavfi', '-i', 'color=blue:s=320x180:r=25:d=5', ...H264, file),
    );
    await assertSound(ended);
    expect(ended.stored!.plan.stills.posterFrames).toEqual([75]);
    for (const { url } of ended.document.renditions.filter(({ type }) => type === 'video' || type === 'poster')) {
      const corner = ['-vf', 'crop=8:8:4:4,scale=1:1,format=rgb24', '-frames:v', '1', '-f', 'rawvideo', '-'];
      const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', url, ...corner], { encoding: 'buffer' });
      const [red = 0, , blue = 0] = stdout;
      expect(red).toBeGreaterThan(180);
      expect(blue).toBeLessThan(80);
    }
  },
  LONG,
);

test(
  'bits by content',
  async () => {
    const make = (file: string) => ffmpeg('-f', 'lavfi', '-i', 'color=gray:s=320x180:r=25:d=5', ...H264, file);
    const ended = await processed('quiet.mp4', 'quality', make);
    await assertSound(ended);
    const [rung] = ended.stored!.plan.rungs;
    expect(rung!.crf).toBeGreaterThan(22);
    expect(rung!.maxrateKbps).toBeLessThan(900);
  },
  LONG,
);

test(
  'only the sound of a video',
  async () => {
    const sources = [...picture(5), '-f', 'lavfi', '-i', 'sine=d=5'];
    const ended = await processed('sound.mp4', 'audio', (file) => ffmpeg(...sources, ...H264, file));
    await assertSound(ended);
    expect(ended.document.kind).toBe('audio');
    expect(ended.document.renditions.map(({ type }) => type)).toEqual(['audio']);
  },
  LONG,
);

test(
  'a song with one picture, and a talk whose camera went off: the last frame is held to the end of the sound',
  async () => {
    const song = await processed('song.mp4', 'default', (file) =>
      ffmpeg(
        ...['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=0.04', '-f', 'lavfi', '-i', 'sine=d=13'],
        ...[...H264, '-c:a', 'aac', file],
      ),
    );
    const talk = await processed('talk.mp4', 'default', (file) =>
      ffmpeg(...picture(3), '-f', 'lavfi', '-i', 'sine=d=14', ...H264, '-c:a', 'aac', file),
    );
    for (const [ended, seconds] of [
      [song, 13],
      [talk, 14],
    ] as const) {
      await assertSound(ended);
      for (const { type, duration } of ended.document.renditions)
        if (type === 'video' || type === 'audio') expect(Math.abs(duration! - seconds)).toBeLessThan(0.1);
    }
    const url = talk.document.renditions.find(({ type }) => type === 'video')!.url;
    const md5 = ['-vf', 'select=gte(n\\,74)', '-vsync', '0', '-f', 'framemd5', '-'];
    const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', url, ...md5]);
    expect(stdout.split('\n').filter((line) => /^\d/.test(line))).toHaveLength(14 * 25 - 74);
    const gray = ['-vf', 'scale=64:36,format=gray', '-f', 'rawvideo', '-'];
    const frames = await run('ffmpeg', ['-v', 'error', '-i', url, ...gray], { encoding: 'buffer' });
    const frame = (n: number): Buffer => frames.stdout.subarray(n * 64 * 36, (n + 1) * 64 * 36);
    const difference = (a: Buffer, b: Buffer): number =>
      a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
    expect(difference(frame(74), frame(349))).toBeLessThan(1.5);
    expect(difference(frame(0), frame(349))).toBeGreaterThan(3);
  },
  LONG,
);

test(
  'a profile that nobody knows is a mistake, at once and for good',
  async () => {
    const { document } = await processed('unknown.mp4', 'defualt', (file) => ffmpeg(...picture(1), ...H264, file));
    expect(document).toMatchObject({ state: 'failed', error: { code: 'PROFILE_UNKNOWN' }, renditions: [] });
    expect(document.error!.message).toContain('default');
  },
  LONG,
);
