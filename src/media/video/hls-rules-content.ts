/** Rules of what is offered: codecs, rates, sizes. A source or a profile may leave no choice. */
import { toNumber } from './frame-rate.js';
import type { Look, Rule } from './hls-rule.js';
import { secondsOfSegments } from './presentation.js';

const NATURAL_RATES = [24_000 / 1001, 24, 25, 30_000 / 1001, 30, 50, 60_000 / 1001, 60];
const MAX_FPS = 60;
const KEY_FRAME_SECONDS = 2;
/** Two seconds in whole frames. */
const ROUNDING = 0.1;
const PEAK_TO_AVERAGE = 2;
/** Sides are rounded to even numbers of pixels. */
const PIXELS = 2;
/** Seconds. */
const EXACT = 0.000_001;
const HE_AAC = new Set(['mp4a.40.5', 'mp4a.40.29']);
const HE_AAC_BPS = 64_000;

/** `avc1.PPCCLL`: profile and level as hexadecimal numbers. */
const h264 = (codecs: string): { profile: number; level: number } | undefined => {
  const found = /^avc[13]\.([0-9a-f]{2})[0-9a-f]{2}([0-9a-f]{2})$/i.exec(codecs);
  return found ? { profile: parseInt(found[1]!, 16), level: parseInt(found[2]!, 16) } : undefined;
};
const HIGH = 100;
const LEVEL_5_2 = 52;

/** `hvc1.P.C.TLLL`: profile, compatibility, tier and level times 30. */
const hevc = (codecs: string): { profile: number; level: number } | undefined => {
  const found = /^h(?:vc|ev)1\.[A-C]?(\d+)\.[0-9a-f]+\.[LH](\d+)/i.exec(codecs);
  return found ? { profile: Number(found[1]), level: Number(found[2]) } : undefined;
};
const MAIN_10 = 2;
const LEVEL_5_1 = 153;

/** `av01.P.LLT.DD`: level as an index. */
const AV1_LEVEL_6_2 = 18;
const av1Level = (codecs: string): number | undefined => {
  const found = /^av01\.\d\.(\d{2})[MH]/.exec(codecs)?.[1];
  return found === undefined ? undefined : Number(found);
};

const rungs = (look: Look, isWrong: (codecs: string) => boolean): string[] =>
  look.presentation.video
    .filter(({ codecs }) => isWrong(codecs))
    .map(({ rung, codecs }) => `${rung.name} is ${codecs}.`);

export const CONTENT_RULES: readonly Rule[] = [
  {
    rule: '1.1',
    level: 'MUST',
    about: 'content',
    quote: 'All video MUST be encoded using H.264/AVC, HEVC/H.265, Dolby Vision, or AV1',
    problems: (look) => rungs(look, (codecs) => !/^(avc[13]|hvc1|hev1|dvh1|dvhe|av01)\./.test(codecs)),
  },
  {
    rule: '1.3b',
    level: 'MUST',
    about: 'content',
    quote: 'Profile and Level for H.264 MUST be less than or equal to High Profile, Level 5.2',
    problems: (look) =>
      rungs(look, (codecs) => {
        const facts = h264(codecs);
        return facts !== undefined && (facts.profile > HIGH || facts.level > LEVEL_5_2);
      }),
  },
  {
    rule: '1.4',
    level: 'SHOULD',
    about: 'content',
    quote: 'For H.264, you SHOULD use High Profile in preference to Main or Baseline Profile',
    problems: (look) => rungs(look, (codecs) => (h264(codecs)?.profile ?? HIGH) < HIGH),
  },
  {
    rule: '1.6b',
    level: 'MUST',
    about: 'content',
    quote: 'Profile, Level, and Tier for HEVC MUST be less than or equal to Main 10 Profile, Level 5.1, High Tier',
    problems: (look) =>
      rungs(look, (codecs) => {
        const facts = hevc(codecs);
        return facts !== undefined && (facts.profile > MAIN_10 || facts.level > LEVEL_5_1);
      }),
  },
  {
    rule: '1.10',
    level: 'SHOULD',
    about: 'content',
    quote: 'You SHOULD use video formats in which the parameter sets are stored in the sample descriptions',
    problems: (look) => rungs(look, (codecs) => /^(avc3|hev1|dvhe)\./.test(codecs)),
  },
  {
    rule: '1.12',
    level: 'SHOULD',
    about: 'content',
    quote: 'For backward compatibility, some video content SHOULD be encoded with H.264',
    problems: ({ presentation: { video } }) =>
      video.length === 0 || video.some(({ codecs }) => h264(codecs)) ? [] : ['There is none.'],
  },
  {
    rule: '1.13',
    level: 'SHOULD',
    about: 'content',
    quote: 'Key frames (IDRs) SHOULD be present every two seconds',
    problems: ({ presentation: { grid } }) => {
      const seconds = grid ? grid.gopFrames / toNumber(grid.fps) : 0;
      return seconds > KEY_FRAME_SECONDS + ROUNDING ? [`They are ${seconds.toFixed(1)} s apart.`] : [];
    },
  },
  {
    rule: '1.18',
    level: 'SHOULD',
    about: 'content',
    quote: 'Frame rates 23.976, 24, 25, 29.97, 30, 50, 59.94, and 60 fps are supported',
    problems: ({ presentation: { grid } }) =>
      !grid || NATURAL_RATES.some((rate) => Math.abs(rate - toNumber(grid.fps)) < 0.001)
        ? []
        : [`It has ${toNumber(grid.fps).toFixed(3)}.`],
  },
  {
    rule: '1.19',
    level: 'MUST',
    about: 'content',
    quote: 'Frame rates above 60 fps SHALL NOT be used',
    problems: ({ presentation: { grid } }) =>
      grid && toNumber(grid.fps) > MAX_FPS ? [`It has ${toNumber(grid.fps).toFixed(3)}.`] : [],
  },
  {
    rule: '1.30',
    level: 'SHOULD',
    about: 'content',
    quote: 'the peak bit rate SHOULD be no more than 200% of the average bit rate',
    problems: ({ presentation: { video, audio } }) =>
      [...video.map((s) => ({ ...s, name: s.rung.name })), ...audio.map((s) => ({ ...s, name: s.track.name }))]
        .filter(({ bandwidth: { peak, average } }) => average !== undefined && peak > average * PEAK_TO_AVERAGE)
        .map(({ name, bandwidth: { peak, average } }) => `${name}: ${Math.round((peak / average!) * 100)}%.`),
  },
  {
    rule: '1.33',
    level: 'SHOULD',
    about: 'content',
    quote: 'All video variants SHOULD have identical aspect ratios',
    problems: ({ presentation: { video } }) => {
      const [top] = video;
      return video
        .filter(({ rung }) => {
          const wanted = (rung.height * top!.rung.width) / top!.rung.height;
          return Math.abs(rung.width - wanted) > PIXELS * Math.max(1, wanted / rung.height);
        })
        .map(({ rung }) => `${rung.name} is ${rung.width}x${rung.height}.`);
    },
  },
  {
    rule: '1.37',
    level: 'MUST',
    about: 'content',
    quote: 'Level for AV1 MUST be less than or equal to Level 6.2',
    problems: (look) => rungs(look, (codecs) => (av1Level(codecs) ?? 0) > AV1_LEVEL_6_2),
  },
  {
    rule: '2.3',
    level: 'MUST',
    about: 'content',
    quote: 'Stereo audio in AAC, HE-AAC v1, or HE-AAC v2 format MUST be provided',
    problems: ({ presentation: { audio } }) =>
      audio.length === 0 ||
      audio.some(({ track, codecs }) => track.channels <= 2 && /^mp4a\.40\.(2|5|29)$/.test(codecs))
        ? []
        : ['There is none.'],
  },
  {
    rule: '2.4',
    level: 'SHOULD',
    about: 'content',
    quote: 'You SHOULD NOT use HE-AAC if your audio bit rate is above 64 kbit/s',
    problems: ({ presentation: { audio } }) =>
      audio
        .filter(({ codecs, bandwidth }) => HE_AAC.has(codecs) && (bandwidth.average ?? 0) > HE_AAC_BPS)
        .map(({ track }) => `${track.name} does.`),
  },
  {
    rule: '6.6',
    level: 'SHOULD',
    about: 'content',
    quote: 'You SHOULD provide multiple I-frame Media Playlists with different bit rates',
    problems: ({ master, presentation: { video } }) =>
      video.length > 1 && master.iframes.length < 2 ? [`There is ${master.iframes.length}.`] : [],
  },
  {
    rule: '6.14',
    level: 'SHOULD',
    about: 'content',
    quote: 'For backward compatibility, some trick play content SHOULD be encoded with H.264',
    problems: ({ master, presentation: { video } }) =>
      video.length === 0 || master.iframes.some((tag) => h264(tag.get('CODECS') ?? '')) ? [] : ['There is none.'],
  },
  {
    rule: '8.22',
    level: 'SHOULD',
    about: 'content',
    quote: 'all audio/video variants and renditions SHOULD have segment boundaries at the same points in time',
    problems: ({ presentation: { video } }) => {
      const lengths = video.map(({ timeline }) => secondsOfSegments(timeline));
      const [first] = lengths;
      const differs = (own: readonly number[]): boolean =>
        own.length !== first!.length || own.some((seconds, i) => Math.abs(seconds - first![i]!) > EXACT);
      return video.filter((_, i) => differs(lengths[i]!)).map(({ rung }) => `${rung.name} has its own.`);
    },
  },
  {
    rule: '9.9',
    level: 'MUST',
    about: 'content',
    quote: 'You MUST provide multiple bit rates of video (that is, variants)',
    problems: ({ presentation: { video } }) => (video.length === 1 ? ['There is one.'] : []),
  },
];
