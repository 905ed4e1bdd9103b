/** Sound tracks on real servers and tools: one level, one clock, one length; and previews that fit between final segments. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { createEncodeAudio } from '../../src/activities/video/encode-audio.js';
import { createInspectMedia } from '../../src/activities/video/inspect.js';
import { createPreviewAudio } from '../../src/activities/video/preview-audio.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import type { EncodedAudio, VideoPlan } from '../../src/contracts/plan.js';
import { AAC_FRAME, audioSamples, audioSegmentFrames, audioSegmentStart } from '../../src/media/video/audio-args.js';
import { previewPrefix, streamPrefix } from '../../src/media/video/layout.js';
import { readFragment, readInit } from '../../src/media/video/mp4.js';
import { decodeFile, decodeStream, ffmpeg, loudnessOf, onset, openMill, run, soundPlan, stored, type Mill } from '../activities/video/sound.js'; // prettier-ignore
import { useStack } from '../support/stack.js';

const LONG = 120_000;
const RATE = 48_000;
const R128 = { target: -16, truePeak: -1 };
const stack = useStack();
let mill: Mill;

const made = (name: string): string => join(mill.dir, name);
const lavfi = (graph: string): string[] => ['-f', 'lavfi', '-i', graph];
const black = (seconds: number): string[] => lavfi(`color=black:size=64x64:rate=25:duration=${seconds}`);
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

beforeAll(async () => {
  mill = await openMill(await stack.isolated({ database: true }));
}, LONG);

afterAll(() => mill.close());

async function encodeAll(path: string, plan: VideoPlan): Promise<{ job: Job; results: EncodedAudio[] }> {
  const job = await mill.upload(path);
  const results: EncodedAudio[] = [];
  for (const track of plan.audio) results.push(await run(createEncodeAudio(mill.context), job, plan, track));
  return { job, results };
}

const finished = (job: Job, name = 'audio-0') => stored(mill, streamPrefix(job, 'audio', name));

describe('loudness', () => {
  const cases: [string, string, (gain: number) => void][] = [
    ['a quiet sound is raised', "aevalsrc='0.05*sin(2*PI*440*t)|0.05*sin(2*PI*660*t)':d=6:s=48000", (gain) => expect(gain).toBeGreaterThan(5)],
    ['a loud sound is lowered', "aevalsrc='0.95*sin(2*PI*440*t)|0.95*sin(2*PI*660*t)':d=6:s=48000", (gain) => expect(gain).toBeLessThan(-5)],
    ['noise at full scale is lowered', 'anoisesrc=a=1:c=pink:d=6:r=48000:seed=3,volume=6dB,aformat=channel_layouts=stereo', (gain) => expect(gain).toBeLessThan(-5)],
  ]; // prettier-ignore
  test.each(cases)('%s to the target by one gain', async (name, graph, expectGain) => {
    const source = made(`${name}.mkv`);
    await ffmpeg(...lavfi(graph), '-c:a', 'flac', source);
    const plan = soundPlan({ container: 'matroska', sound: 6, loudness: R128 });
    const { job, results } = await encodeAll(source, plan);
    expectGain(results[0]!.gain);
    const { integrated, truePeak } = await loudnessOf(mill.dir, await finished(job));
    expect(Math.abs(integrated - R128.target)).toBeLessThanOrEqual(1);
    expect(truePeak).toBeLessThanOrEqual(R128.truePeak);
  }, LONG); // prettier-ignore

  test(
    'peaks stop a gain before they clip',
    async () => {
      const source = made('peaks.mkv');
      // A murmur, and a beat near full scale every second.
      const beat = '0.9*sin(2*PI*200*t)*lt(mod(t\\,1)\\,0.005)+0.01*sin(2*PI*300*t)';
      await ffmpeg(...lavfi(`aevalsrc='${beat}|${beat}':d=6:s=48000`), '-c:a', 'flac', source);
      const plan = soundPlan({ container: 'matroska', sound: 6, loudness: R128 });
      const { job, results } = await encodeAll(source, plan);
      const [{ gain, loudness }] = results as [EncodedAudio];
      expect(gain).toBeLessThan(R128.target - loudness!.integrated - 1);
      const result = await loudnessOf(mill.dir, await finished(job));
      expect(result.truePeak).toBeLessThanOrEqual(R128.truePeak);
      expect(result.integrated).toBeLessThan(R128.target);
    },
    LONG,
  );

  test.each([
    ['silence', 'anullsrc=r=48000:cl=stereo,atrim=end=2', 2],
    ['less than a block of sound', 'sine=sample_rate=48000:duration=0.3', 0.3],
  ])('%s stays as it is', async (name, graph, seconds) => {
    const source = made(`${name}.mkv`);
    await ffmpeg(...lavfi(graph), '-c:a', 'flac', source);
    const { results } = await encodeAll(source, soundPlan({ container: 'matroska', sound: seconds, loudness: R128 }));
    expect(results).toMatchObject([{ gain: 0, loudness: undefined }]);
  }, LONG); // prettier-ignore

  test(
    'is left alone where the profile does not ask',
    async () => {
      const source = made('as-it-is.mkv');
      await ffmpeg(...lavfi("aevalsrc='0.1*sin(2*PI*440*t)|0':d=3:s=48000"), '-c:a', 'flac', source);
      const { job, results } = await encodeAll(source, soundPlan({ container: 'matroska', sound: 3 }));
      expect(results).toMatchObject([{ gain: 0, loudness: undefined }]);
      const [left] = await decodeStream(mill.dir, await finished(job));
      expect(peakOf(left!.subarray(RATE, 2 * RATE))).toBeCloseTo(0.1, 2);
    },
    LONG,
  );
});

describe('the length of a track', () => {
  test.each([
    ['longer than the picture', 5, 9],
    ['shorter than the picture', 9, 5],
    ['of a tenth of a second', 4.04, 0.1],
    ['beside one frame', 0.04, 3],
  ])('%s is that of the picture', async (name, picture, sound) => {
    const source = made(`${name}.mkv`);
    await ffmpeg(...black(picture), ...lavfi(`sine=sample_rate=48000:duration=${sound}`), ...X264, '-c:a', 'flac', source);
    const plan = soundPlan({ container: 'matroska', picture, sound });
    const { job, results } = await encodeAll(source, plan);
    const track = await finished(job);
    const [left] = await decodeStream(mill.dir, track, 1 * 2);
    expect(results[0]!.samples).toBe(audioSamples(plan, plan.audio[0]!));
    expect(left).toHaveLength(results[0]!.samples);
    // No difference that a player could see: less than a frame of either.
    expect(Math.abs(left!.length / RATE - Math.max(picture, (2 * AAC_FRAME) / RATE))).toBeLessThanOrEqual(AAC_FRAME / RATE / 2);
    expect(track.segments.map((bytes) => readFragment(bytes).samples)).toEqual(audioSegmentFrames(left!.length, RATE));
    const after = Math.ceil((sound + 0.1) * RATE);
    expect(peakOf(left!.subarray(after))).toBeLessThan(0.001);
    expect(peakOf(left!)).toBeGreaterThan(0.05);
  }, LONG); // prettier-ignore

  test(
    'of sound alone is its own',
    async () => {
      const source = made('alone.mkv');
      await ffmpeg(...lavfi('sine=sample_rate=48000:duration=4.5'), '-c:a', 'flac', source);
      const { results } = await encodeAll(source, soundPlan({ container: 'matroska', sound: 4.5 }));
      expect(results[0]!.samples).toBe(Math.ceil((4.5 * RATE) / AAC_FRAME) * AAC_FRAME);
    },
    LONG,
  );
});

describe('the clock', () => {
  test(
    'sound that starts late and has a hole is where it was',
    async () => {
      const [late, source] = [made('late.mkv'), made('hole.mkv')];
      // Sound from 1.5 s to 3 s and from 5 s to 7 s; what lies between is in no packet.
      await ffmpeg(
        ...black(8),
        ...lavfi('sine=sample_rate=48000:duration=8'),
        '-map',
        '0',
        '-map',
        '1',
        ...X264,
        '-c:a',
        'pcm_s16le',
        late,
      );
      const keep = "aselect='between(t,1.5,2.999)+between(t,5,6.999)'";
      await ffmpeg('-i', late, '-map', '0:v', '-map', '0:a', '-c:v', 'copy', '-af', keep, '-c:a', 'pcm_s16le', source); // prettier-ignore
      const { job } = await encodeAll(source, soundPlan({ container: 'matroska', picture: 8, sound: 7 }));
      const [left] = await decodeStream(mill.dir, await finished(job));
      const [expected] = await decodeFile(late, 1);
      // A container may keep whole milliseconds only.
      for (const from of [1.7, 5.2] as const)
        expect(Math.abs(lagOf(left!, expected!, from, from + 1)) / RATE).toBeLessThanOrEqual(0.001);
      expect(Math.abs(onset(left!) / RATE - 1.5)).toBeLessThan(AAC_FRAME / RATE);
      expect(Math.abs(onset(left!, 0.03, 4 * RATE) / RATE - 5)).toBeLessThan(AAC_FRAME / RATE);
      expect(peakOf(left!.subarray(3.2 * RATE, 4.8 * RATE))).toBeLessThan(0.001);
    },
    LONG,
  );

  // ffmpeg starts its filters anew when the format of the sound changes: what comes after would be shifted.
  test.each([
    ['rate', 44_100, 2, 22_050, 2],
    ['layout', 48_000, 1, 48_000, 6],
    ['rate and layout', 48_000, 6, 32_000, 1],
  ])('sound that changes its %s in the middle stays in step', async (_what, rate, channels, laterRate, laterChannels) => {
    const parts: Buffer[] = [];
    const formats = [[rate, channels, 0, 500], [laterRate, laterChannels, 5, 900]] as const; // prettier-ignore
    for (const [frequency, layout, from, hertz] of formats) {
      const part = made('part.ts');
      const input = lavfi(`sine=frequency=${hertz}:sample_rate=${frequency}:duration=5`);
      const clock = ['-output_ts_offset', String(from), '-muxdelay', '0', '-muxpreload', '0'];
      await ffmpeg(...input, '-ac', String(layout), '-c:a', 'aac', ...clock, '-f', 'mpegts', part);
      parts.push(await readFile(part));
    }
    const source = made(`changing-${rate}-${channels}.ts`);
    await writeFile(source, Buffer.concat(parts));
    for (const loudness of [R128, undefined]) {
      const plan = soundPlan({ container: 'mpegts', sound: 10, loudness });
      const { job, results } = await encodeAll(source, plan);
      const [left] = await decodeStream(mill.dir, await finished(job));
      expect(results[0]!.samples).toBe(left!.length);
      expect(left!.length / RATE).toBeCloseTo(10, 1);
      // The first tone to the change, the second one from there to the end.
      expect(pitch(left!, 4.6, 4.9)).toBeCloseTo(500, -1);
      expect(pitch(left!, 5.1, 5.4)).toBeCloseTo(900, -1);
      expect(pitch(left!, 9.5, 9.9)).toBeCloseTo(900, -1);
      if (loudness) {
        const measured = await loudnessOf(mill.dir, await finished(job));
        expect(Math.abs(measured.integrated - loudness.target)).toBeLessThanOrEqual(1);
      }
    }
  }, LONG); // prettier-ignore
});

describe('channels', () => {
  test(
    'eight mono tracks stay eight, each its own',
    async () => {
      const source = made('eight.mov');
      const tones = Array.from({ length: 8 }, (_, i) =>
        lavfi(`sine=frequency=${300 + 100 * i}:sample_rate=48000:duration=1`),
      ).flat();
      const maps = Array.from({ length: 8 }, (_, i) => ['-map', String(i + 1)]).flat();
      await ffmpeg(...black(1), ...tones, '-map', '0', ...maps, ...X264, '-c:a', 'pcm_s16le', source);
      const channels = [1, 1, 1, 1, 1, 1, 1, 1] as const;
      const { job, results } = await encodeAll(source, soundPlan({ container: 'mov', picture: 1, sound: 1, channels }));
      expect(results.map(({ name }) => name)).toEqual(channels.map((_, i) => `audio-${i}`));
      for (const { name } of results) {
        const [mono] = await decodeStream(mill.dir, await finished(job, name), 1);
        expect(pitch(mono!, 0.2, 0.8)).toBeCloseTo(300 + 100 * Number(name.slice(6)), -1);
      }
    },
    LONG,
  );

  /** Six loud channels, together far over full scale, each of its own pitch: front left, right, centre, bass, surround left, right. */
  const PITCHES = [300, 500, 700, 60, 900, 1100];
  let surround: string;
  beforeAll(async () => {
    surround = made('surround.mkv');
    const channels = PITCHES.map((hertz) => `0.8*sin(2*PI*${hertz}*t)`).join('|');
    await ffmpeg(...lavfi(`aevalsrc='${channels}':channel_layout=5.1:d=3:s=48000`), '-c:a', 'flac', surround);
  }, LONG);

  test(
    '5.1 to stereo: front, and of centre and surround -3 dB; nothing clips',
    async () => {
      const { job } = await encodeAll(surround, soundPlan({ container: 'matroska', sound: 3 }));
      const [left, right] = await decodeStream(mill.dir, await finished(job));
      const levels = (samples: Float32Array) => PITCHES.map((hertz) => level(samples, hertz));
      const [front, , centre, , back] = levels(left!);
      expect(centre! / front!).toBeCloseTo(Math.SQRT1_2, 1);
      expect(back! / front!).toBeCloseTo(Math.SQRT1_2, 1);
      for (const [samples, own, others] of [
        [left, 0, [1, 3, 5]],
        [right, 1, [0, 3, 4]],
      ] as const)
        // prettier-ignore
        for (const other of others) expect(levels(samples!)[other]! / levels(samples!)[own]!).toBeLessThan(0.02);
      expect(Math.max(peakOf(left!), peakOf(right!))).toBeLessThanOrEqual(1);
    },
    LONG,
  );

  test(
    '5.1 kept: every channel in its place',
    async () => {
      const plan = soundPlan({ container: 'matroska', sound: 3, channels: [6] });
      const { job } = await encodeAll(surround, plan);
      const track = await finished(job);
      expect(readInit(track.init).codecs).toBe('mp4a.40.2');
      const channels = await decodeStream(mill.dir, track, 6);
      channels.forEach((samples, i) => {
        const loudest = PITCHES.map((hertz) => level(samples, hertz));
        expect(loudest.indexOf(Math.max(...loudest))).toBe(i);
      });
    },
    LONG,
  );
});

describe('made again', () => {
  test(
    'what is there stays, what is missing is the same as before',
    async () => {
      const source = made('again.mkv');
      await ffmpeg(...lavfi('sine=sample_rate=48000:duration=9'), '-c:a', 'flac', source);
      const plan = soundPlan({ container: 'matroska', sound: 9, loudness: R128 });
      const { job, results } = await encodeAll(source, plan);
      const before = await finished(job);
      const bucket = mill.config.storage.mediaBucket;
      const prefix = streamPrefix(job, 'audio', 'audio-0');
      const kept = await mill.context.store.stat(bucket, `${prefix}seg-00000.m4s`);
      await mill.context.store.remove(bucket, [`${prefix}seg-00001.m4s`]);
      expect(await run(createEncodeAudio(mill.context), job, plan, plan.audio[0]!)).toEqual(results[0]);
      expect((await finished(job)).segments.map(hash)).toEqual(before.segments.map(hash));
      expect(await mill.context.store.stat(bucket, `${prefix}seg-00000.m4s`)).toEqual(kept);
    },
    LONG,
  );

  test(
    'of which too little decodes, is damaged',
    async () => {
      const source = made('short.mkv');
      await ffmpeg(...black(4), ...lavfi('sine=sample_rate=48000:duration=4'), ...X264, '-c:a', 'flac', source);
      const plan = soundPlan({ container: 'matroska', picture: 10, sound: 10 });
      await expect(encodeAll(source, plan)).rejects.toMatchObject({ type: 'DAMAGED_FILE', nonRetryable: true });
    },
    LONG,
  );
});

describe('a preview', () => {
  const SECONDS = 40;
  let source: string;
  let plan: VideoPlan;
  let job: Job;
  beforeAll(async () => {
    source = made('preview.mp4');
    // A pitch that rises all the time: a frame lost, doubled or shifted shows.
    const sweep = "aevalsrc='0.2*sin(2*PI*(200*t+10*t*t))|0.2*sin(2*PI*(200*t+10*t*t))'";
    await ffmpeg(
      ...black(SECONDS),
      ...lavfi(`${sweep}:d=${SECONDS}:s=48000`),
      ...X264,
      '-c:a',
      'aac',
      '-b:a',
      '192k',
      source,
    );
    plan = soundPlan({ container: 'mov', picture: SECONDS, sound: SECONDS, loudness: undefined });
    ({ job } = await encodeAll(source, plan));
    const preview = createPreviewAudio(mill.context);
    // Out of order, and over each other.
    for (const [firstSegment, segments] of [
      [6, 4],
      [0, 2],
      [1, 3],
      [4, 8],
    ] as const)
      // prettier-ignore
      await run(preview, job, plan, plan.audio[0]!, { firstSegment, segments });
  }, LONG);

  test('has the init segment, the frames and the times of the final track', async () => {
    const [final, preview] = [await finished(job), await stored(mill, previewPrefix(job, 'audio-0'))];
    expect(preview.init.equals(final.init)).toBe(true);
    expect(preview.segments.map((bytes) => readFragment(bytes))).toEqual(final.segments.map((bytes) => readFragment(bytes)));
    expect(readFragment(preview.segments[3]!).start).toBe(audioSegmentStart(3, RATE) * AAC_FRAME);
  }, LONG); // prettier-ignore

  test.each([0, 1])('and final segments in turn play as one (%d)', async (odd) => {
    const [final, preview] = [await finished(job), await stored(mill, previewPrefix(job, 'audio-0'))];
    const segments = final.segments.map((bytes, i) => (i % 2 === odd ? bytes : preview.segments[i]!));
    const [mixed] = await decodeStream(mill.dir, { init: final.init, segments });
    const [original] = await decodeFile(source);
    expect(mixed).toHaveLength(audioSamples(plan, plan.audio[0]!));
    // Frame by frame: a seam is in one of them.
    for (let at = 2 * AAC_FRAME; at < mixed!.length - 2 * AAC_FRAME; at += AAC_FRAME)
      expect(correlation(mixed!, original!, at, at + AAC_FRAME)).toBeGreaterThan(0.99);
  }, LONG); // prettier-ignore

  test('begins with the same silence and the same cut as the final track', async () => {
    const [final, preview] = [await finished(job), await stored(mill, previewPrefix(job, 'audio-0'))];
    for (const part of [[0], [9]]) {
      const pick = ({ init, segments }: typeof final) => ({ init, segments: part.map((i) => segments[i]!) });
      const [[a], [b]] = [await decodeStream(mill.dir, pick(final)), await decodeStream(mill.dir, pick(preview))];
      expect(b).toHaveLength(a!.length);
      expect(correlation(a!, b!, 0, a!.length)).toBeGreaterThan(0.98);
    }
  }, LONG); // prettier-ignore

  test('of a track in a file that can not be sought in', async () => {
    const stream = made('preview.ts');
    await ffmpeg('-i', source, '-c', 'copy', '-muxdelay', '0', '-muxpreload', '0', stream);
    const unseekable = soundPlan({ container: 'mpegts', picture: SECONDS, sound: SECONDS });
    const other = await mill.upload(stream);
    await run(createPreviewAudio(mill.context), other, unseekable, unseekable.audio[0]!, { firstSegment: 5, segments: 1 });
    const preview = await stored(mill, previewPrefix(other, 'audio-0'));
    expect(readFragment(preview.segments[0]!).start).toBe(audioSegmentStart(5, RATE) * AAC_FRAME);
    const [samples] = await decodeStream(mill.dir, preview);
    const [original] = await decodeFile(stream);
    const shifted = original!.subarray(audioSegmentStart(5, RATE) * AAC_FRAME);
    expect(correlation(samples!, shifted, RATE, 3 * RATE)).toBeGreaterThan(0.98);
  }, LONG); // prettier-ignore

  test('is made of a part of the source, the same to the byte', async () => {
    const other = await mill.upload(source);
    const inspection = await run(createInspectMedia(mill.context), other);
    if (inspection.outcome !== 'media' || !inspection.plan.facts.index) throw new Error('no index was found');
    const indexed = { ...plan, facts: { ...plan.facts, index: inspection.plan.facts.index } };
    await run(createPreviewAudio(mill.context), other, indexed, plan.audio[0]!, { firstSegment: 6, segments: 2 });
    expect(mill.context.scratch.hasSource(other.source)).toBe(false);
    const [whole, part] = await Promise.all([job, other].map((of) => mill.list(previewPrefix(of, 'audio-0'))));
    expect([...part!.keys()].sort()).toEqual(['init.mp4', 'seg-00006.m4s', 'seg-00007.m4s']);
    const read = async (of: Job, name: string) =>
      hash(await mill.context.store.read(mill.config.storage.mediaBucket, previewPrefix(of, 'audio-0') + name));
    for (const name of part!.keys()) expect([name, await read(other, name)]).toEqual([name, await read(job, name)]);
    expect(whole!.size).toBe(11);
  }, LONG); // prettier-ignore

  test('beyond the end makes nothing', async () => {
    const other = await mill.upload(source);
    await run(createPreviewAudio(mill.context), { ...other, generation: 2 }, plan, plan.audio[0]!, { firstSegment: 99, segments: 2 });
    expect((await mill.list(outputPrefix(other.assetId, 2))).size).toBe(0);
  }, LONG); // prettier-ignore
});

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const peakOf = (samples: Float32Array): number => samples.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0);

/** 1: the same wave, sample for sample; a shift of a few samples tells. */
function correlation(a: Float32Array, b: Float32Array, from: number, to: number): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = from; i < to; i += 1) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Samples by which `a` is behind `b`, within 20 ms. */
function lagOf(a: Float32Array, b: Float32Array, from: number, to: number): number {
  let best = { lag: 0, match: -Infinity };
  for (let lag = -960; lag <= 960; lag += 1) {
    let match = 0;
    for (let i = Math.round(from * RATE); i < to * RATE; i += 1) match += a[i + lag]! * b[i]!;
    if (match > best.match) best = { lag, match };
  }
  return best.lag;
}

/** Hertz of a single tone, by its zero crossings. */
function pitch(samples: Float32Array, from: number, to: number): number {
  const part = samples.subarray(Math.round(from * RATE), Math.round(to * RATE));
  let rising = 0;
  for (let i = 1; i < part.length; i += 1) if (part[i - 1]! < 0 && part[i]! >= 0) rising += 1;
  return rising / (to - from);
}

/** Strength of one pitch in the second second of a sound. */
function level(samples: Float32Array, hertz: number): number {
  let [sine, cosine] = [0, 0];
  for (let i = RATE; i < 2 * RATE; i += 1) {
    sine += samples[i]! * Math.sin((2 * Math.PI * hertz * i) / RATE);
    cosine += samples[i]! * Math.cos((2 * Math.PI * hertz * i) / RATE);
  }
  return (2 * Math.hypot(sine, cosine)) / RATE;
}
