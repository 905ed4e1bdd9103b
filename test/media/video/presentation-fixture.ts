/** A video with three rungs, three sound tracks of which one has surround sound too, and subtitles. */
import type { AudioTrack, SubtitleTrack, VideoPlan, VideoRung } from '../../../src/contracts/plan.js';
import { verifiedPresentation, type Presentation } from '../../../src/media/video/presentation.js';
import { audioTimeline, plannedPresentation, videoTimeline } from '../../../src/media/video/presentation.js';
import { audioSamples } from '../../../src/media/video/audio-args.js';
import { facts } from './support.js';

export const rung = (own: Partial<VideoRung>): VideoRung => ({
  name: '720p',
  width: 1280,
  height: 720,
  codec: 'h264',
  crf: 22,
  maxrateKbps: 2800,
  bufsizeKbps: 5600,
  preset: 'veryfast',
  level: '3.1',
  codecs: 'avc1.64001f',
  ...own,
});

export const track = (own: Partial<AudioTrack>): AudioTrack => ({
  name: 'audio-0-eng',
  streamIndex: 1,
  language: 'eng',
  isDefault: true,
  channels: 2,
  bitrateKbps: 128,
  sampleRate: 48_000,
  ...own,
});

export const subtitle = (own: Partial<SubtitleTrack>): SubtitleTrack => ({
  name: 'subs-0-eng',
  streamIndex: 4,
  language: 'eng',
  isDefault: true,
  isForced: false,
  ...own,
});

/** 10.01 s at 29.97 fps: segments of 120, 120 and 60 frames. */
export const plan = (own: Partial<VideoPlan> = {}): VideoPlan => ({
  v: 2,
  kind: 'video',
  facts: facts({ duration: 10.01 }),
  grid: { fps: { num: 30_000, den: 1001 }, gopFrames: 60, segmentFrames: 120, totalFrames: 300 },
  rungs: [
    rung({ name: '1080p', width: 1920, height: 1080, maxrateKbps: 5000, codecs: 'avc1.640028' }),
    rung({}),
    rung({ name: '360p', width: 640, height: 360, maxrateKbps: 800, codecs: 'avc1.64001e' }),
  ],
  chunkSegments: 4,
  audio: [
    track({}),
    track({ name: 'audio-1-eng-surround', channels: 6, bitrateKbps: 320 }),
    track({ name: 'audio-2-fra', streamIndex: 2, language: 'fra', isDefault: false }),
    track({ name: 'audio-3', streamIndex: 3, language: undefined, title: 'Say "hi" & <go>\n', isDefault: false, channels: 1 }),
  ],
  subtitles: [
    subtitle({}),
    subtitle({ name: 'subs-1-eng', streamIndex: 5, title: 'Signs', isDefault: false, isForced: true }),
  ],
  stills: {
    posterFrames: [],
    storyboard: { intervalFrames: 30, tiles: 10, tileWidth: 160, tileHeight: 90, columns: 5, rows: 2, format: 'jpeg' },
  },
  minSsim: 0,
  ...own,
}); // prettier-ignore

/** As after verification, with round bit rates: 4, 2 and 0.6 Mb/s, sound 128 or 320 kb/s. */
export function measured(of: VideoPlan = plan()): Presentation {
  const rates: Readonly<Record<string, number>> = { '1080p': 4e6, '720p': 2e6, '360p': 6e5 };
  const { grid } = of;
  const video = of.rungs.map(({ name, codecs }) => ({
    name,
    codecs,
    average: rates[name]!,
    peak: rates[name]! * 1.5,
    timeline: videoTimeline(grid!, grid!.totalFrames),
    iframes: [60_000, 50_000, 40_000].map((bytes) => ({ bytes: Math.round((bytes * rates[name]!) / 4e6) })),
  }));
  const audio = of.audio.map((one) => ({
    name: one.name,
    codecs: 'mp4a.40.2',
    average: one.bitrateKbps * 1000,
    peak: one.bitrateKbps * 1020,
    timeline: audioTimeline(one, audioSamples(of, one)),
    iframes: [],
  }));
  const storyboard = of.stills.storyboard && { plan: of.stills.storyboard, bytes: 100_000 };
  return verifiedPresentation(of, [...video, ...audio], { subtitles: of.subtitles, storyboard });
}

export const growing = (of: VideoPlan = plan()): Presentation => plannedPresentation(of);
