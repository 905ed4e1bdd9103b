/** The encode engine alone: chunks into a real store, with real tools in their sandbox. */
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';

import type { ActivityContext } from '../../src/activities/context.js';
import type { Job } from '../../src/contracts/assets.js';
import { createLogger } from '../../src/logging/index.js';
import { readFragment } from '../../src/media/video/mp4.js';
import type { Tools } from '../../src/tools/tools.js';
import { openContext, type OpenContext } from '../../src/workers/context.js';
import { Engine, film, PATTERN, planOf, rung, X264 } from '../activities/video/encode-support.js';
import { lumas } from '../activities/video/decoding.js';
import { useStack } from '../support/stack.js';

const LONG = 120_000;
const stack = useStack();
let dir: string;
let open: OpenContext;
let engine: Engine;
let sample: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-encode-'));
  const config = await stack.isolated({
    overrides: { scratch: { dir: join(dir, 'scratch') }, log: { level: 'error' } },
  });
  open = await openContext(config, createLogger(config.log), { tools: true });
  engine = new Engine(open.activities);
  // One key frame in 10 s: chunks must start in the middle of the source's GOP. 10.4 s: three segments, one short.
  sample = await film(
    dir,
    'sample.mp4',
    ...PATTERN('320x180', '25', 10.4),
    ...X264,
    '-preset',
    'veryfast',
    '-g',
    '250',
  );
}, LONG);

afterAll(async () => {
  await open.close();
  await open.activities.scratch.close();
  await rm(dir, { recursive: true, force: true });
});

const PLAN = planOf(260);
const SEGMENTS = ['seg-00000.m4s', 'seg-00001.m4s', 'seg-00002.m4s'];
const files = (...names: string[]): string[] =>
  ['180p', '90p'].flatMap((name) => names.map((file) => `video/${name}/${file}`)).sort();

/** The same engine with other tools or another store. */
const withTools = (own: Partial<Tools>): Engine =>
  new Engine({ ...engine.context, tools: { ...engine.context.tools, ...own } });
const withStore = (own: Partial<ActivityContext['store']>): Engine =>
  new Engine({ ...engine.context, store: { ...engine.context.store, ...own } });
const noEncoder = { ffmpeg: () => Promise.reject(new Error('ffmpeg ran')) };

test(
  'chunks, last one first, join into what one chunk gives: same inits, frames and decode times',
  async () => {
    const [whole, parts] = [await engine.upload(sample), await engine.upload(sample)];
    expect(await engine.encode(whole, PLAN)).toMatchObject({ frames: 260, endedEarly: false, damagedFrames: 0 });
    for (const chunk of [
      { firstSegment: 1, segments: 2 },
      { firstSegment: 0, segments: 1 },
    ])
      expect(await engine.encode(parts, PLAN, { chunk })).toMatchObject({ endedEarly: false });
    expect(await engine.keys(parts)).toEqual(files('init.mp4', ...SEGMENTS));
    expect(await engine.keys(whole)).toEqual(files('init.mp4', ...SEGMENTS));
    for (const name of ['180p', '90p']) {
      expect(await engine.read(parts, `video/${name}/init.mp4`)).toEqual(
        await engine.read(whole, `video/${name}/init.mp4`),
      );
      const seen: number[] = [];
      for (const segment of SEGMENTS)
        seen.push(readFragment(await engine.read(parts, `video/${name}/${segment}`)).start);
      expect(seen.map((ticks) => ticks / 12_800)).toEqual([0, 4, 8]);
      const joined = join(dir, `joined-${name}.mp4`);
      await writeFile(joined, await engine.joined(parts, name));
      expect(await lumas(joined)).toHaveLength(260);
    }
  },
  LONG,
);

describe('an attempt that finds something there', () => {
  test(
    'starts at the first segment that some rung lacks, and leaves the rest as it is',
    async () => {
      const job = await engine.upload(sample);
      await engine.encode(job, PLAN);
      const before = await Promise.all(files('seg-00000.m4s').map((key) => engine.read(job, key)));
      await engine.remove(job, ['video/90p/seg-00001.m4s', ...files('seg-00002.m4s')]);
      const ran: string[] = [];
      const watched = withTools({
        ffmpeg: (run) => {
          ran.push(run.args.join(' '));
          return engine.context.tools.ffmpeg(run);
        },
      });
      const result = await watched.encode(job, PLAN);
      expect(result).toMatchObject({ frames: 260, endedEarly: false });
      expect(ran[0]).toContain('-start_number 1');
      expect(await engine.keys(job)).toEqual(files('init.mp4', ...SEGMENTS));
      expect(await Promise.all(files('seg-00000.m4s').map((key) => engine.read(job, key)))).toEqual(before);
    },
    LONG,
  );

  test(
    'runs nothing when all is there',
    async () => {
      const job = await engine.upload(sample);
      await engine.encode(job, PLAN);
      expect(await withTools(noEncoder).encode(job, PLAN)).toEqual({ frames: 260, endedEarly: false, damagedFrames: 0, quality: [] }); // prettier-ignore
    },
    LONG,
  );

  test(
    'looks at what an attempt that died could not look at',
    async () => {
      const job = await engine.upload(sample);
      await engine.encode(job, PLAN);
      const { quality } = await engine.encode(job, PLAN, {}, { attempt: 2 });
      expect(quality.map(({ name }) => name)).toEqual(['180p', '90p']);
      for (const { ssim } of quality) expect(ssim).toBeGreaterThan(0.8);
    },
    LONG,
  );

  test(
    'encodes no rung again that is complete, but compares it',
    async () => {
      const job = await engine.upload(sample);
      await engine.encode(job, PLAN, { rungs: ['90p'] });
      const before = await engine.read(job, 'video/90p/seg-00001.m4s');
      const ran: string[] = [];
      const watched = withTools({
        ffmpeg: (run) => {
          ran.push(run.args.join(' '));
          return engine.context.tools.ffmpeg(run);
        },
      });
      const { quality } = await watched.encode(job, PLAN);
      expect(ran[0]).not.toContain('90p/index.m3u8');
      expect(quality.map(({ name }) => name)).toEqual(['180p', '90p']);
      expect(await engine.read(job, 'video/90p/seg-00001.m4s')).toEqual(before);
    },
    LONG,
  );

  test(
    'of two at once each segment is the first one’s',
    async () => {
      const job = await engine.upload(sample);
      const won: boolean[] = [];
      const { store } = engine.context;
      const counted = withStore({
        list: store.list.bind(store),
        read: store.read.bind(store),
        stat: store.stat.bind(store),
        download: store.download.bind(store),
        putIfAbsent: async (...args: Parameters<typeof store.putIfAbsent>) => {
          const first = await store.putIfAbsent(...args);
          won.push(first);
          return first;
        },
      });
      const results = await Promise.all([counted.encode(job, PLAN), counted.encode(job, PLAN)]);
      expect(results[0]).toEqual(results[1]);
      expect(won.filter(Boolean)).toHaveLength(8);
      expect(await engine.keys(job)).toEqual(files('init.mp4', ...SEGMENTS));
    },
    LONG,
  );

  test(
    'refuses to write beside an init segment that is not its own',
    async () => {
      const job = await engine.upload(sample);
      await engine.put(job, 'video/180p/init.mp4', Buffer.from('other'));
      await expect(engine.encode(job, PLAN)).rejects.toMatchObject({ type: 'VERIFY_FAILED' });
    },
    LONG,
  );
});

describe('stills', () => {
  const stills = {
    posterFrames: [30, 130],
    storyboard: {
      intervalFrames: 40,
      tiles: 7,
      tileWidth: 160,
      tileHeight: 90,
      columns: 4,
      rows: 2,
      format: 'jpeg' as const,
    },
  };
  const plan = planOf(260, { stills });
  const all = [
    ...['00000030', '00000130'].map((frame) => `work/poster/${frame}.jpg`),
    ...[0, 1, 2, 3, 4, 5, 6].map((tile) => `work/tiles/0000000${tile}.jpg`),
  ];
  const stillsOf = async (job: Job): Promise<string[]> =>
    (await engine.keys(job)).filter((key) => key.startsWith('work/'));

  test(
    'come out of the same decode, by their place on the grid, and a lost one is made again',
    async () => {
      const job = await engine.upload(sample);
      await engine.encode(job, plan, { chunk: { firstSegment: 0, segments: 1 } });
      expect(await stillsOf(job)).toEqual([all[0], ...all.slice(2, 5)]);
      await engine.encode(job, plan, { chunk: { firstSegment: 1, segments: 2 } });
      expect(await stillsOf(job)).toEqual(all);
      const tile = await engine.read(job, 'work/tiles/00000005.jpg');
      await engine.remove(job, ['work/tiles/00000005.jpg']);
      await engine.encode(job, plan, { chunk: { firstSegment: 1, segments: 2 } });
      expect(await engine.read(job, 'work/tiles/00000005.jpg')).toEqual(tile);
    },
    LONG,
  );

  test(
    'show the frame that they are named after',
    async () => {
      const source = await film(dir, 'bright.mp4', '-f', 'lavfi', '-i', "color=size=320x180:rate=25:duration=8,format=gray,geq=lum='20+N'", ...X264, '-crf', '8'); // prettier-ignore
      const job = await engine.upload(source);
      const bright = planOf(200, { stills: { ...stills, storyboard: { ...stills.storyboard, tiles: 5 } } });
      await engine.encode(job, bright, { chunk: { firstSegment: 1, segments: 1 } });
      for (const [key, frame] of [
        ['work/poster/00000130.jpg', 130],
        ['work/tiles/00000003.jpg', 120],
        ['work/tiles/00000004.jpg', 160],
      ] as const) {
        // prettier-ignore
        const { channels } = await sharp(await engine.read(job, key)).stats();
        expect(Math.abs(channels[0]!.mean - (20 + frame))).toBeLessThanOrEqual(2);
      }
    },
    LONG,
  );

  test(
    'are not made where they are not asked for',
    async () => {
      const job = await engine.upload(sample);
      await engine.encode(job, plan, { stills: false, chunk: { firstSegment: 0, segments: 1 } });
      expect(await stillsOf(job)).toEqual([]);
    },
    LONG,
  );
});

describe('what the store holds, compared with the source', () => {
  test(
    'a segment with other content, or with none, is found; a good one is not',
    async () => {
      const source = await film(dir, 'changing.mp4', ...PATTERN('320x180', '25', 4), '-f', 'lavfi', '-i', 'mandelbrot=size=320x180:rate=25', '-filter_complex', '[1]trim=duration=4[m];[0][m]concat', ...X264); // prettier-ignore
      const job = await engine.upload(source);
      const plan = planOf(200);
      const chunk = { firstSegment: 0, segments: 2 };
      const { quality } = await engine.encode(job, plan);
      const measured = await engine.measure(job, plan, chunk);
      measured.forEach(({ name, ssim }, i) => {
        expect(name).toBe(quality[i]!.name);
        expect(ssim).toBeCloseTo(quality[i]!.ssim, 4);
        expect(ssim).toBeGreaterThan(0.8);
      });
      await engine.put(job, 'video/180p/seg-00001.m4s', await engine.read(job, 'video/180p/seg-00000.m4s'));
      await engine.put(job, 'video/90p/seg-00001.m4s', Buffer.alloc(5000, 'garbage'));
      const [other, garbage] = await engine.measure(job, plan, chunk);
      expect(other!.ssim).toBeLessThan(0.5);
      expect(garbage!.ssim).toBe(0);
    },
    LONG,
  );

  test(
    'a rung below the floor is encoded again, once and alone',
    async () => {
      const job = await engine.upload(sample);
      const good = planOf(260, { chunkSegments: 0 });
      await engine.encode(job, good, { rungs: ['90p'] });
      // Another video's segment, where nobody will write.
      const other = await engine.upload(await film(dir, 'other.mp4', '-i', sample, '-vf', 'negate,hflip', ...X264));
      await engine.encode(other, good, { rungs: ['90p'] });
      const segment = await engine.read(other, 'video/90p/seg-00002.m4s');
      await engine.put(job, 'video/90p/seg-00002.m4s', segment);
      const ran: string[] = [];
      const watched = withTools({
        ffmpeg: (run) => {
          ran.push(run.args.join(' '));
          return engine.context.tools.ffmpeg(run);
        },
      });
      const { quality } = await watched.encode(job, good);
      for (const { ssim } of quality) expect(ssim).toBeGreaterThan(0.7);
      const encodes = ran.filter((args) => args.includes('index.m3u8'));
      expect(encodes.map((args) => ['180p', '90p'].filter((name) => args.includes(`${name}/index.m3u8`)))).toEqual([['180p'], ['90p']]); // prettier-ignore
      expect(await engine.read(job, 'video/90p/seg-00002.m4s')).not.toEqual(segment);
    },
    LONG,
  );

  test(
    'what stays below it is reported as it is; without a floor nothing is measured',
    async () => {
      const job = await engine.upload(sample);
      const { quality } = await engine.encode(job, planOf(260, { minSsim: 1 }));
      expect(quality.map(({ name }) => name).sort()).toEqual(['180p', '90p']);
      expect(await engine.keys(job)).toEqual(files('init.mp4', ...SEGMENTS));
      expect((await engine.encode(await engine.upload(sample), planOf(260, { minSsim: 0 }))).quality).toEqual([]);
    },
    LONG,
  );

  test(
    'not where somebody waits for the segment',
    async () => {
      const request = { rungs: ['90p'], stills: false, viewerWaits: true, chunk: { firstSegment: 0, segments: 1 } };
      const { frames, quality } = await engine.encode(await engine.upload(sample), PLAN, request);
      expect([frames, quality]).toEqual([100, []]);
    },
    LONG,
  );

  const PQ = ['-c:v', 'libx265', '-pix_fmt', 'yuv420p10le', '-x265-params', 'log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc']; // prettier-ignore
  test.each([
    ['one frame', 1, [...PATTERN('320x180', '25', 1), '-frames:v', '1', ...X264], {}],
    ['three frames', 3, [...PATTERN('320x180', '25', 0.12), ...X264], {}],
    ['PQ', 25, [...PATTERN('320x180', '25', 1), ...PQ], { transfer: 'smpte2084', primaries: 'bt2020', matrix: 'bt2020nc' }], // prettier-ignore
    ['interlaced', 25, [...PATTERN('320x180', '50', 1), '-vf', 'interlace', '-flags', '+ilme+ildct', '-c:v', 'mpeg2video', '-b:v', '2M'], { interlaced: true }], // prettier-ignore
  ])('of %s', async (name, frames, args, own) => {
    const job = await engine.upload(await film(dir, `${name.replace(/\W/g, '-')}.mp4`, ...args));
    const base = planOf(frames);
    const plan = { ...base, facts: { ...base.facts, video: { ...base.facts.video!, ...own } } };
    const { quality } = await engine.encode(job, plan);
    expect(quality.map(({ name: rungName }) => rungName)).toEqual(['180p', '90p']);
    for (const { ssim } of quality) expect(ssim).toBeGreaterThan(0.8);
    expect((await engine.measure(job, plan, { firstSegment: 0, segments: 1 })).map(({ ssim }) => Math.round(ssim * 1e3))).toEqual(quality.map(({ ssim }) => Math.round(ssim * 1e3))); // prettier-ignore
  }, LONG); // prettier-ignore

  test(
    'of pictures smaller than what the measure looks at',
    async () => {
      const job = await engine.upload(await film(dir, 'tiny.mp4', ...PATTERN('64x64', '25', 1), ...X264));
      const plan = planOf(25, { rungs: [rung('2p', 2, 2), rung('8p', 14, 8)] });
      for (const { ssim } of (await engine.encode(job, plan)).quality) expect(ssim).toBeGreaterThan(0.5);
    },
    LONG,
  );

  test(
    'of a source that ends early: as far as it goes, and again',
    async () => {
      const job = await engine.upload(sample);
      const longer = planOf(500);
      const first = await engine.encode(job, longer);
      expect(first).toMatchObject({ endedEarly: true, quality: [{ name: '180p' }, { name: '90p' }] });
      // `tpad` holds the last frame for a moment.
      expect(first.frames).toBeGreaterThanOrEqual(260);
      expect(first.frames).toBeLessThanOrEqual(262);
      expect(await engine.encode(job, longer, {}, { attempt: 2 })).toMatchObject({
        frames: first.frames,
        endedEarly: true,
      });
      expect(await engine.encode(job, longer, { chunk: { firstSegment: 4, segments: 1 } })).toMatchObject({ frames: 0, endedEarly: true }); // prettier-ignore
    },
    LONG,
  );
});

test(
  'a watermark lies where the profile wants it, on every rung',
  async () => {
    const logo = await film(dir, 'logo.png', '-f', 'lavfi', '-i', 'color=white:size=50x50', '-frames:v', '1');
    const dark = await film(
      dir,
      'dark.mp4',
      '-f',
      'lavfi',
      '-i',
      'color=black:size=320x180:rate=25:duration=1',
      ...X264,
    );
    const watermark = { file: 'logo.png', corner: 'bottom-right', width: 0.25, margin: 0, opacity: 1 } as const;
    const plan = planOf(25, { watermark, stills: { posterFrames: [12] } });
    const marking = new Engine({ ...engine.context, profiles: { ...engine.context.profiles, file: () => logo } });
    const job = await engine.upload(dark);
    const { quality } = await marking.encode(job, plan);
    for (const { ssim } of quality) expect(ssim).toBeGreaterThan(0.9);
    // Of 4 x 4 fields, those at the lower right: 80 x 80 of 320 x 180 cover one and three quarters of another.
    const path = join(dir, 'marked.mp4');
    for (const name of ['180p', '90p']) {
      await writeFile(path, await engine.joined(job, name));
      const fields = (await lumas(path, '4:4')).slice(-16);
      expect(fields.map((luma) => (luma > 128 ? 1 : 0))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    }
    const { data } = await sharp(await engine.read(job, 'work/poster/00000012.jpg')).greyscale().raw().toBuffer({ resolveWithObject: true }); // prettier-ignore
    expect(data[data.length - 1]).toBeGreaterThan(250);
    expect(data[0]).toBeLessThan(5);
  },
  LONG,
);

test(
  'a source in which nothing can be decoded is damaged',
  async () => {
    const cut = await film(dir, 'cut.mp4', ...PATTERN('320x180', '25', 2), ...X264, '-movflags', '+faststart');
    await truncate(cut, 1600);
    await expect(engine.encode(await engine.upload(cut), planOf(50))).rejects.toMatchObject({ type: 'DAMAGED_FILE', nonRetryable: true }); // prettier-ignore
  },
  LONG,
);

test(
  'an encoder that is faster than its store is held until the store has caught up',
  async () => {
    let pauses = 0;
    const { tools, store } = engine.context;
    const held = new Engine({
      ...engine.context,
      tools: {
        ...tools,
        ffmpeg: (run) =>
          tools.ffmpeg({
            ...run,
            onStart: (brake) =>
              run.onStart?.({
                pause: () => {
                  pauses += 1;
                  brake.pause();
                },
                resume: () => brake.resume(),
              }),
          }),
      },
      store: new Proxy(store, {
        get: (target, name: keyof typeof store) => {
          if (name !== 'putIfAbsent') return (target[name] as () => unknown).bind(target);
          return async (...args: Parameters<typeof store.putIfAbsent>) => {
            await sleep(1500);
            return target.putIfAbsent(...args);
          };
        },
      }),
    });
    const long = await film(dir, 'long.mp4', ...PATTERN('320x180', '25', 60), ...X264, '-preset', 'ultrafast');
    const { frames } = await held.encode(await held.upload(long), planOf(1500, { minSsim: 0 }));
    expect(frames).toBe(1500);
    expect(pauses).toBeGreaterThan(0);
  },
  LONG,
);

test('nothing is left in scratch', async () => {
  const left = await readdir(join(dir, 'scratch'), { recursive: true });
  expect(left.filter((name) => /(^|\/)job-/.test(name))).toEqual([]);
});
