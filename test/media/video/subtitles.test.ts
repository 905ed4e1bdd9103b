/** Text subtitles: ASS to WebVTT, and cues to segments. */
import { describe, expect, test } from '@jest/globals';

import {
  cuesBySegment,
  decodeText,
  subtitleDurations,
  subtitlesCommand,
  withinPicture,
} from '../../../src/media/video/subtitles.js';
import { cuesOfAss, webVtt } from '../../../src/media/video/webvtt.js';
import { facts } from './support.js';

const line = (text: string, start = '0:00:01.23', end = '0:00:02.50', before = 'Default,,0,0,0,'): string =>
  `Dialogue: 0,${start},${end},${before},${text}`;
const text = (ass: string, isStyled = false): string | undefined => cuesOfAss(line(ass), isStyled)[0]?.text;

describe('text', () => {
  test.each([
    ['plain', 'Hello, you', 'Hello, you'],
    ['of two lines', 'One\\Ntwo\\nthree\\hfour', 'One\ntwo\nthree four'],
    ['with an empty line, which would end the cue', 'One\\N \\N\\Ntwo\\N', 'One\ntwo'],
    ['emphasised', '{\\i1}Both{\\b1} of{\\i0} them{\\b0}.', '<i>Both</i><b><i> of</i></b><b> them</b>.'],
    ['emphasised by weight', '{\\b700}a{\\b400}b', '<b>a</b>b'],
    ['underlined until it is reset', '{\\u1}a{\\rOther}b', '<u>a</u>b'],
    ['with looks of other kinds', '{\\an8\\fnArial\\bord2\\c&HFF&}a{\\c}', 'a'],
    ['that looks like markup', '<script>a</script> & <b>', '&lt;script&gt;a&lt;/script&gt; &amp; &lt;b&gt;'],
    ['that looks like a time line', '00:01 --> 00:02', '00:01 --&gt; 00:02'],
    ['in braces', '{curly} \\{as well\\}', '{curly} {as well}'],
    ['with characters that are none', 'a\u0000b\u001bc\u0085', 'abc'],
    ['with an open brace', 'a {\\i1 b', 'a {\\i1 b'],
  ])('%s', (_what, ass, vtt) => expect(text(ass)).toBe(vtt));

  test('of ASS has comments in braces, and drawings', () => {
    expect(text('a{a note}b{\\p1}m 0 0 l 10 10{\\p0}c', true)).toBe('abc');
    expect(text('{\\p1}m 0 0 l 10 10', true)).toBeUndefined();
  });

  test('has an end', () => expect(text('x'.repeat(5000))).toHaveLength(1000));
});

describe('cues', () => {
  test('come in order, each once, and only those that are shown', () => {
    const ass = [
      '[Events]',
      line('Later', '0:00:04.00', '0:00:05.00'),
      line('Same', '0:00:01.00', '0:00:02.00'),
      line('Same', '0:00:01.00', '0:00:02.00', 'Other,Joe,0,0,0,'),
      line('No time', '0:00:03.00', '0:00:03.00'),
      line('{\\b1}'),
      'Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,not shown',
      line('Hours', '12:00:00.50', '12:00:01.00'),
      'Dialogue: nonsense',
    ].join('\r\n');
    expect(cuesOfAss(ass, true)).toEqual([
      { start: 1, end: 2, text: 'Same' },
      { start: 4, end: 5, text: 'Later' },
      { start: 43_200.5, end: 43_201, text: 'Hours' },
    ]);
  });

  test('end with the picture', () => {
    const cue = (start: number, end: number) => ({ start, end, text: 'x' });
    expect(withinPicture([cue(1, 2), cue(9, 12), cue(10, 12)], 10)).toEqual([cue(1, 2), cue(9, 10)]);
  });

  test('are in every segment that they touch', () => {
    const cue = (start: number, end: number) => ({ start, end, text: 'x' });
    const [a, b, c] = [cue(0, 60), cue(59, 121), cue(60, 61)];
    expect(cuesBySegment([a, b, c], 3)).toEqual([[a, b], [b, c], [b]]);
  });

  test('without end in long films stay bounded', () => {
    const cues = Array.from({ length: 2000 }, (_, i) => ({ start: i / 1000, end: 36_000, text: 'x' }));
    for (const list of cuesBySegment(cues, 600)) expect(list).toHaveLength(480);
  });
});

test('a file, whole and as a segment', () => {
  const cues = [
    { start: 1.23, end: 62.5, text: 'One\ntwo' },
    { start: 3600, end: 3600.001, text: 'End' },
  ];
  const blocks = '\n00:00:01.230 --> 00:01:02.500\nOne\ntwo\n\n01:00:00.000 --> 01:00:00.001\nEnd\n';
  expect(webVtt(cues, false)).toBe(`WEBVTT\n${blocks}`);
  expect(webVtt(cues, true)).toBe(`WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n${blocks}`);
  expect(webVtt([], true)).toBe('WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n');
});

test('segments last a minute, the last one to the end of the picture', () => {
  const grid = { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: 3100 };
  expect(subtitleDurations({ grid, facts: facts() })).toEqual([60, 60, 4]);
  expect(subtitleDurations({ grid: { ...grid, totalFrames: 3000 }, facts: facts() })).toEqual([60, 60]);
});

test('bytes that are no UTF-8 are read as what old programs write, line by line', () => {
  const latin = Buffer.from([0x43, 0x61, 0x66, 0xe9]);
  expect(decodeText(Buffer.concat([Buffer.from('späte\n'), latin, Buffer.from('\nend')]))).toBe('späte\nCafé\nend');
  expect(decodeText(Buffer.from('späte'))).toBe('späte');
});

test('one run makes all tracks', () => {
  const track = (index: number) => ({
    name: `subs-${index}`,
    streamIndex: index + 2,
    isDefault: false,
    isForced: false,
  });
  const command = subtitlesCommand({ facts: facts(), subtitles: [track(0), track(1)] });
  expect(command.inputs).toHaveLength(1);
  expect(command.outputs.map(({ file, options }) => [file, options.slice(0, 2)])).toEqual([
    ['subs-0.ass', ['-map', '0:2']],
    ['subs-1.ass', ['-map', '0:3']],
  ]);
});
