/** Embedded subtitles of every text format, on real servers and tools. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { createMakeSubtitles } from '../../src/activities/video/make-subtitles.js';
import type { Job } from '../../src/contracts/assets.js';
import { SUBTITLE_FILE, subtitlePrefix } from '../../src/media/video/layout.js';
import { ffmpeg, openMill, run, soundPlan, type Mill } from '../activities/video/sound.js';
import { useStack } from '../support/stack.js';

const LONG = 120_000;
const SECONDS = 130;
const stack = useStack();
let mill: Mill;

const made = (name: string): string => join(mill.dir, name);

beforeAll(async () => {
  mill = await openMill(await stack.isolated({ database: true }));
}, LONG);

afterAll(() => mill.close());

const SRT = `1
00:00:01,230 --> 00:00:02,500
Hello <i>world</i> & <b>you</b>, a < b

2
00:00:03,000 --> 00:00:05,000
{\\an8}Two
lines {curly} --> <font color="red">red</font>

3
00:00:59,000 --> 00:01:01,000
Over the border

4
00:02:08,000 --> 00:03:00,000
Späte Grüße
`;

const VTT = `WEBVTT

00:01.230 --> 00:02.500 line:0 align:start
<v Bob>Hello <i>world</i> &amp; &lt;you&gt;</v>

00:59.000 --> 01:01.000
<c.yellow>Over</c> the border
`;

const ASS = `[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:59.00,0:01:01.00,Default,,0,0,0,,Over, {\\pos(1,2)}the\\Nborder
Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:01.23,0:00:02.50,Default,Joe,0,0,0,,{\\i1\\b1}Both{\\i0} bold{\\b0} {\\p1}m 0 0 l 10 10{\\p0}{note}<x>
`;

async function withSubtitles(name: string, codec: string, files: Record<string, string | Buffer>): Promise<string> {
  const paths = await Promise.all(
    Object.entries(files).map(async ([file, content]) => {
      await writeFile(made(file), content);
      return made(file);
    }),
  );
  const inputs = paths.flatMap((path) => ['-sub_charenc_mode', 'ignore', '-i', path]);
  const maps = ['-map', '0', ...paths.flatMap((_, i) => ['-map', String(i + 1)])];
  const picture = ['-f', 'lavfi', '-i', `color=black:size=64x64:rate=5:duration=${SECONDS}`];
  await ffmpeg(...picture, ...inputs, ...maps, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:s', codec, made(name));
  return made(name);
}

const planOf = (container: string, ...codecs: string[]) =>
  soundPlan({
    container,
    picture: SECONDS,
    sound: 0,
    channels: [],
    subtitles: codecs.map((codec, i) => ({ streamIndex: i + 1, codec })),
  });

async function make(path: string, plan: ReturnType<typeof planOf>): Promise<{ job: Job; names: string[] }> {
  const job = await mill.upload(path);
  return { job, names: await run(createMakeSubtitles(mill.context), job, plan) };
}

async function read(job: Job, name: string, file: string): Promise<string> {
  const bytes = await mill.context.store.read(mill.config.storage.mediaBucket, subtitlePrefix(job, name) + file);
  return bytes.toString();
}

const MAP = 'X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n';

test(
  'SubRip, WebVTT and ASS of one Matroska file, in one run',
  async () => {
    const source = await withSubtitles('all.mkv', 'copy', { 'a.srt': SRT, 'b.vtt': VTT, 'c.ass': ASS });
    const { job, names } = await make(source, planOf('matroska', 'subrip', 'webvtt', 'ass'));
    expect(names).toEqual(['subs-0', 'subs-1', 'subs-2']);
    expect(await read(job, 'subs-0', SUBTITLE_FILE)).toBe(`WEBVTT

00:00:01.230 --> 00:00:02.500
Hello <i>world</i> &amp; <b>you</b>, a &lt; b

00:00:03.000 --> 00:00:05.000
Two
lines {curly} --&gt; red

00:00:59.000 --> 00:01:01.000
Over the border

00:02:08.000 --> 00:02:10.000
Späte Grüße
`);
    expect(await read(job, 'subs-1', SUBTITLE_FILE)).toBe(`WEBVTT

00:00:01.230 --> 00:00:02.500
Hello <i>world</i> &amp; &lt;you&gt;

00:00:59.000 --> 00:01:01.000
Over the border
`);
    expect(await read(job, 'subs-2', SUBTITLE_FILE)).toBe(`WEBVTT

00:00:01.230 --> 00:00:02.500
<b><i>Both</i></b><b> bold</b> &lt;x&gt;

00:00:59.000 --> 00:01:01.000
Over, the
border
`);
    // A minute each, as long as the picture; a cue in every segment that it touches.
    const segments = ['seg-00000.vtt', 'seg-00001.vtt', 'seg-00002.vtt'];
    expect([...(await mill.list(subtitlePrefix(job, 'subs-0'))).keys()].sort()).toEqual([...segments, 'subs.vtt']);
    const [first, second, third] = await Promise.all(segments.map((file) => read(job, 'subs-0', file)));
    const border = '00:00:59.000 --> 00:01:01.000\nOver the border\n';
    expect(first!.startsWith(`WEBVTT\n${MAP}\n00:00:01.230`)).toBe(true);
    expect(first!.endsWith(border)).toBe(true);
    expect(second).toBe(`WEBVTT\n${MAP}\n${border}`);
    expect(third).toBe(`WEBVTT\n${MAP}\n00:02:08.000 --> 00:02:10.000\nSpäte Grüße\n`);
    expect((await mill.context.store.stat(mill.config.storage.mediaBucket, `${subtitlePrefix(job, 'subs-0')}seg-00000.vtt`)).contentType).toBe('text/vtt'); // prettier-ignore
  },
  LONG,
);

test(
  'timed text of an MP4',
  async () => {
    const source = await withSubtitles('timed.mp4', 'mov_text', { 'timed.srt': SRT });
    const { job, names } = await make(source, planOf('mov', 'mov_text'));
    expect(names).toEqual(['subs-0']);
    const text = await read(job, 'subs-0', SUBTITLE_FILE);
    expect(text).toContain('00:00:01.230 --> 00:00:02.500\nHello <i>world</i> &amp; <b>you</b>, a &lt; b\n');
    expect(text).toContain('00:00:59.000 --> 00:01:01.000\nOver the border\n');
  },
  LONG,
);

test(
  'a track in an old encoding is read, one without a cue is left out',
  async () => {
    const latin = Buffer.from('1\n00:00:01,000 --> 00:00:02,000\nCaf\xe9\n\n2\n00:00:03,000 --> 00:00:04,000\nplain\n', 'latin1'); // prettier-ignore
    const late = '1\n01:00:00,000 --> 01:00:01,000\nlong after the end\n';
    const source = await withSubtitles('odd.mkv', 'copy', { 'late.srt': late, 'latin.srt': latin });
    const { job, names } = await make(source, planOf('matroska', 'subrip', 'subrip'));
    expect(names).toEqual(['subs-1']);
    expect(await read(job, 'subs-1', SUBTITLE_FILE)).toContain('Café\n');
    expect((await mill.list(subtitlePrefix(job, 'subs-0'))).size).toBe(0);
    // Once more, as after a lost answer: the same, and nothing is written over.
    const before = await mill.list(subtitlePrefix(job, 'subs-1'));
    expect(await run(createMakeSubtitles(mill.context), job, planOf('matroska', 'subrip', 'subrip'))).toEqual(names);
    expect(await mill.list(subtitlePrefix(job, 'subs-1'))).toEqual(before);
  },
  LONG,
);

test('no tracks, no work', async () => {
  const source = made('none.txt');
  await writeFile(source, 'no media at all');
  expect((await make(source, planOf('matroska'))).names).toEqual([]);
});
