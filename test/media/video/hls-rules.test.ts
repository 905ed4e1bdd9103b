import { describe, expect, test } from '@jest/globals';

import type { VideoPlan } from '../../../src/contracts/plan.js';
import { checkHls, refusals, RULES } from '../../../src/media/video/hls-rules.js';
import { manifestFiles } from '../../../src/media/video/manifests.js';
import type { Presentation } from '../../../src/media/video/presentation.js';
import { measured, plan, rung, track } from './presentation-fixture.js';

const VTT = 'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n';
/** The frame rate that the rules call natural. */
const good = plan({ subtitles: plan().subtitles });

interface Case {
  readonly presentation: Presentation;
  readonly files: Map<string, string>;
}

function caseOf(of: VideoPlan = good, change: (presentation: Presentation) => Presentation = (same) => same): Case {
  const presentation = change(measured(of));
  const files = manifestFiles(presentation, [10.01]);
  for (const { name } of presentation.subtitles) files.set(`subs/${name}/seg-00000.vtt`, VTT);
  return { presentation, files };
}

/** As it is, with one text changed. */
const edited = (name: string, from: string | RegExp, to: string): Case => {
  const made = caseOf();
  const text = made.files.get(name)!;
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`nothing of ${name} was changed`);
  made.files.set(name, changed);
  return made;
};
const master = (from: string | RegExp, to = ''): Case => edited('master.m3u8', from, to);
const ofCodecs = (codecs: string): Case => caseOf(plan({ rungs: [...good.rungs, rung({ name: '360p', codecs })] }));
const grid = good.grid!;
const LOWEST = 'video/360p/index.m3u8';

/** What each rule, and no other one of its kind, is there to find. */
const BROKEN: Record<string, Case> = {
  '1.1': ofCodecs('vp09.00.31.08'),
  '1.3b': ofCodecs('avc1.640035'),
  '1.4': ofCodecs('avc1.4d401f'),
  '1.6b': ofCodecs('hvc1.1.6.L156.B0'),
  '1.10': ofCodecs('hev1.1.6.L93.B0'),
  '1.12': caseOf(plan({ rungs: good.rungs.map((one) => ({ ...one, codecs: 'hvc1.1.6.L93.B0' })) })),
  '1.13': caseOf(plan({ grid: { ...grid, gopFrames: 120 } })),
  '1.18': caseOf(plan({ grid: { ...grid, fps: { num: 15, den: 1 } } })),
  '1.19': caseOf(plan({ grid: { ...grid, fps: { num: 120, den: 1 } } })),
  '1.26': master(/AVERAGE-BANDWIDTH=2128000/, 'AVERAGE-BANDWIDTH=1900000'),
  '1.27': master('BANDWIDTH=3130560', 'BANDWIDTH=3500000'),
  '1.30': caseOf(good, (p) => ({
    ...p,
    video: p.video.map((stream) => ({ ...stream, bandwidth: { peak: 9e6, average: 4e6 } })),
  })),
  '1.32': master(/(#EXT-X-STREAM-INF[^\n]*\nvideo\/720p[^\n]*\n)(#EXT-X-STREAM-INF[^\n]*\nvideo\/1080p[^\n]*\n)/, '$2$1'),
  '1.33': caseOf(plan({ rungs: [...good.rungs, rung({ name: '360p', width: 480, height: 360 })] })),
  '1.37': ofCodecs('av01.0.19M.08'),
  '2.3': caseOf(plan({ audio: [track({ channels: 6 })] })),
  '2.4': caseOf(good, (p) => ({ ...p, audio: p.audio.map((stream) => ({ ...stream, codecs: 'mp4a.40.5' })) })),
  '5.2': edited('subs/subs-0-eng/seg-00000.vtt', 'WEBVTT', '1'),
  '5.3': edited('subs/subs-0-eng/seg-00000.vtt', /X-TIMESTAMP-MAP.*/, ''),
  '5.5': edited('subs/subs-0-eng/index.m3u8', '10.010000', '9.900000'),
  '5.10': master(/,wvtt/),
  '5.11': master('AUTOSELECT=YES,FORCED=YES', 'AUTOSELECT=NO,FORCED=YES'),
  '6.1': master(/#EXT-X-I-FRAME-STREAM-INF.*\n/g),
  '6.6': master(/#EXT-X-I-FRAME-STREAM-INF[^\n]*(720|1080)p[^\n]*\n#EXT-X-I-FRAME-STREAM-INF[^\n]*(720|1080)p[^\n]*\n/),
  '6.8': edited('video/360p/iframes.m3u8', '#EXT-X-I-FRAMES-ONLY\n', ''),
  '6.9': master(/(I-FRAME-STREAM-INF:BANDWIDTH=)159841/, '$1200000'),
  '6.10': edited('video/360p/iframes.m3u8', /@0/, '@1000'),
  '6.14': master(/(I-FRAME-STREAM-INF[^\n]*)avc1/g, '$1hvc1'),
  '7.7': edited(LOWEST, 'TARGETDURATION:4', 'TARGETDURATION:3'),
  '8.1': edited(LOWEST, '4.004000', '4.040000'),
  '8.2': edited(LOWEST, 'TARGETDURATION:4', 'TARGETDURATION:5'),
  '8.3': edited('audio/audio-3/index.m3u8', /#EXTINF:[\d.]+,\nseg-00002.m4s\n/, ''),
  '8.6': edited(LOWEST, '#EXT-X-PLAYLIST-TYPE:VOD\n', ''),
  '8.9': master(/#EXT-X-MEDIA[^\n]*audio-3[^\n]*\n/g),
  '8.10': master('LANGUAGE="und",'),
  '8.20': edited(LOWEST, /#EXT-X-MAP.*\n/, ''),
  '8.22': caseOf(good, ({ video, ...p }) => ({
    ...p,
    video: video.map((stream, i) =>
      i === 2 ? { ...stream, timeline: { timescale: 30_000, segments: [60_060, 180_180, 60_060] } } : stream,
    ),
  })),
  '9.1': master(/CODECS="[^"]*",/),
  '9.2': master(/RESOLUTION=1280x720,/),
  '9.3': master(/(I-FRAME-STREAM-INF[^\n]*)CODECS="[^"]*",/, '$1'),
  '9.4': master(/(I-FRAME-STREAM-INF[^\n]*)RESOLUTION=\d+x\d+,/, '$1'),
  '9.5': master('AUDIO="audio",'),
  '9.9': caseOf(plan({ rungs: [rung({})] })),
  '9.11': master('#EXT-X-INDEPENDENT-SEGMENTS\n'),
  '9.13': master('BANDWIDTH=3130560', 'BANDWIDTH=3000000'),
  '9.14': master(',AVERAGE-BANDWIDTH=2128000'),
  '9.15': master('FRAME-RATE=29.970,'),
  '9.20+': master(/$/, '#EXT-X-STREAM-INF:BANDWIDTH=130560,CODECS="mp4a.40.2"\naudio/audio-0-eng/index.m3u8\n'),
  '11.4': caseOf(plan({ subtitles: [{ ...good.subtitles[0]!, name: 'My-Film' }] })),
}; // prettier-ignore

const found = (made: Case): string[] => [...new Set(checkHls(made).map(({ rule }) => rule))];

describe('the rules of HLS', () => {
  test('what we write meets all of them', () => {
    expect(checkHls(caseOf())).toEqual([]);
    expect(checkHls(caseOf(plan({ audio: [], subtitles: [] })))).toEqual([]);
    expect(checkHls(caseOf(plan({ kind: 'audio', grid: undefined, rungs: [], subtitles: [] })))).toEqual([]);
  });

  test('each has a case of its own here', () => {
    expect(Object.keys(BROKEN).sort()).toEqual(RULES.map(({ rule }) => rule).sort());
  });

  test.each(RULES.map(({ rule, level, quote }) => [rule, level, quote] as const))('%s %s: %s', (rule) => {
    expect(found(BROKEN[rule]!)).toContain(rule);
  });

  test('a mistake in what we write is refused; what a source leaves no choice in is not', () => {
    expect(refusals(checkHls(BROKEN['9.1']!)).map(({ rule }) => rule)).toContain('9.1');
    expect(refusals(checkHls(BROKEN['9.9']!))).toEqual([]);
    expect(refusals(checkHls(BROKEN['1.30']!))).toEqual([]);
    expect(refusals(checkHls(BROKEN['1.32']!))).toEqual([]);
  });
});
