/** The audio grid, and ffmpeg runs of a track as plain data. */
import { describe, expect, test } from '@jest/globals';

import type { AudioTrack, Grid, VideoPlan } from '../../../src/contracts/plan.js';
import {
  AAC_FRAME,
  audioSamples,
  audioSegmentFrames,
  audioSegmentStart,
  encodeAudioCommand,
  measureAudioCommand,
  previewAudioRun,
} from '../../../src/media/video/audio-args.js';
import { audio, facts } from './support.js';

const grid = (totalFrames: number, num = 25, den = 1): Grid => ({
  fps: { num, den },
  gopFrames: 50,
  segmentFrames: 100,
  totalFrames,
});

const track: AudioTrack = {
  name: 'audio-0',
  streamIndex: 1,
  isDefault: true,
  channels: 2,
  bitrateKbps: 128,
  sampleRate: 48_000,
};

const plan = (own: Partial<VideoPlan>): VideoPlan => ({
  v: 2,
  kind: 'video',
  facts: facts({ audio: [audio({ duration: 20 })] }),
  grid: grid(500),
  rungs: [],
  chunkSegments: 8,
  audio: [track],
  subtitles: [],
  stills: { posterFrames: [] },
  loudness: { target: -16, truePeak: -1 },
  minSsim: 0,
  ...own,
});

describe('samples of a track', () => {
  test.each([
    ['as long as the picture', 500, 25, 1],
    ['whatever the sound lasts', 1, 25, 1],
    ['at a broken rate', 17_982, 30_000, 1001],
    ['at 60 frames a second', 36_001, 60, 1],
  ])('of a video: %s, to half an AAC frame', (_what, frames, num, den) => {
    const samples = audioSamples(plan({ grid: grid(frames, num, den) }), track);
    expect(samples % AAC_FRAME).toBe(0);
    expect(Math.abs(samples / 48_000 - (frames * den) / num)).toBeLessThanOrEqual(AAC_FRAME / 2 / 48_000);
  });

  test('of a picture shorter than what an encoder can write: two frames', () => {
    expect(audioSamples(plan({ grid: grid(1, 60) }), track)).toBe(2 * AAC_FRAME);
  });

  test('of sound alone: all of it', () => {
    const alone = plan({ kind: 'audio', grid: undefined });
    expect(audioSamples(alone, track)).toBe(Math.ceil((20 * 48_000) / AAC_FRAME) * AAC_FRAME);
  });
});

test('segments start at the first frame at or after their time, and nothing is left over', () => {
  for (const rate of [44_100, 48_000]) {
    const sizes = audioSegmentFrames(1000 * AAC_FRAME, rate);
    expect(sizes.reduce((a, b) => a + b)).toBe(1000);
    let at = 0;
    sizes.forEach((size, segment) => {
      expect(at).toBe(audioSegmentStart(segment, rate));
      expect((at * AAC_FRAME) / rate - segment * 4).toBeGreaterThanOrEqual(0);
      expect((at * AAC_FRAME) / rate - segment * 4).toBeLessThan(AAC_FRAME / rate);
      at += size;
    });
  }
});

describe('runs', () => {
  test('measuring looks for peaks only where a gain is wanted', () => {
    const graph = (own: Partial<VideoPlan>) =>
      measureAudioCommand(plan(own), track, { isConverted: false }).filterGraph;
    expect(graph({})).toMatch(/ebur128=framelog=verbose:peak=true\[a\]$/);
    expect(graph({ loudness: undefined })).toMatch(/ebur128=framelog=verbose\[a\]$/);
    expect(graph({})).toContain('atrim=end=20.010667,');
  });

  test('encoding fills the clock, then changes the level, then cuts to the frame', () => {
    const samples = audioSamples(plan({}), track);
    expect(encodeAudioCommand(plan({}), track, { gain: -3.25, isConverted: false })).toMatchObject({
      inputs: [{ file: 'source' }],
      filterGraph:
        '[0:1]aresample=48000:rematrix_maxval=1:async=1:min_hard_comp=0.05:first_pts=0,' +
        'aformat=sample_fmts=fltp:channel_layouts=stereo,volume=-3.25dB:precision=float,' +
        `apad=whole_len=${samples},atrim=start_sample=1024:end_sample=${samples}[a]`,
    });
    expect(encodeAudioCommand(plan({}), track, { gain: 0, isConverted: true })).toMatchObject({
      inputs: [{ file: 'converted', options: ['-format_whitelist', 'nut', '-f', 'nut'] }],
      filterGraph: expect.stringMatching(/^\[0:0\](?!.*volume)/),
    });
  });

  test('six channels stay six', () => {
    const { filterGraph } = encodeAudioCommand(plan({}), { ...track, channels: 6 }, { gain: 0, isConverted: false });
    expect(filterGraph).toContain('channel_layouts=5.1,');
    expect(() => encodeAudioCommand(plan({}), { ...track, channels: 3 }, { gain: 0, isConverted: false })).toThrow(
      TypeError,
    );
  });

  test('the coder follows the bit rate, the same for previews', () => {
    const of = (bitrateKbps: number) => {
      const own = { ...track, bitrateKbps };
      const runs = [
        encodeAudioCommand(plan({}), own, { gain: 0, isConverted: false }),
        previewAudioRun(plan({}), own, { firstSegment: 0, segments: 1 }).command,
      ];
      return runs.map(({ outputs }) => outputs[0]!.options[outputs[0]!.options.indexOf('-aac_coder') + 1]);
    };
    expect(of(128)).toEqual(['fast', 'fast']);
    expect(of(48)).toEqual(['twoloop', 'twoloop']);
  });

  test('a preview is of the frames of the final segments, with some before them to be dropped', () => {
    const long = plan({ grid: grid(90_000) });
    const final = audioSegmentFrames(audioSamples(long, track), 48_000);
    const first = previewAudioRun(long, track, { firstSegment: 0, segments: 8 });
    expect(first).toMatchObject({ firstFrame: 0, preroll: 0, segments: final.slice(0, 8), fromSeconds: 0 });
    expect(first.command.inputs[0]!.options).not.toContain('-ss');

    const middle = previewAudioRun(long, track, { firstSegment: 450, segments: 3 });
    expect(middle.segments).toEqual(final.slice(450, 453));
    expect(middle.firstFrame).toBe(audioSegmentStart(450, 48_000));
    expect(middle).toMatchObject({ preroll: 8, postroll: 1 });
    expect(middle.fromSeconds).toBeCloseTo(((middle.firstFrame - 8) * AAC_FRAME) / 48_000, 9);
    expect(middle.command.inputs[0]!.options).toContain(middle.fromSeconds.toFixed(6));

    const last = previewAudioRun(long, track, { firstSegment: final.length - 1, segments: 8 });
    expect(last.segments).toEqual(final.slice(-1));
    expect(last.postroll).toBe(0);
    expect(previewAudioRun(long, track, { firstSegment: final.length, segments: 8 }).segments).toEqual([]);
  });

  test('where the source can not be sought in, a preview reads it from its start', () => {
    const unseekable = plan({ facts: facts({ seekable: false, audio: [audio({ duration: 20 })] }) });
    const run = previewAudioRun(unseekable, track, { firstSegment: 2, segments: 1 });
    expect(run.preroll).toBe(audioSegmentStart(2, 48_000));
    expect(run.command.inputs[0]!.options).not.toContain('-ss');
  });
});
