/** The rival: the one ffmpeg command that somebody who knows ffmpeg would write for the same ladder. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const RUNGS = [
  { name: '1080p', size: '1920:1080', crf: 22, maxrate: 5000 },
  { name: '720p', size: '1280:720', crf: 22, maxrate: 2800 },
  { name: '480p', size: '854:480', crf: 23, maxrate: 1400 },
  { name: '360p', size: '640:360', crf: 23, maxrate: 800 },
];

const HLS = [
  '-f',
  'hls',
  '-hls_time',
  '4',
  '-hls_playlist_type',
  'vod',
  '-hls_segment_type',
  'fmp4',
  '-hls_flags',
  'independent_segments',
];

/** 1080p30 in; 1080/720/480/360 H.264 and AAC as fMP4 HLS out, one decode. @returns seconds */
export async function bareLadder(input: string, dir: string): Promise<number> {
  for (const { name } of [...RUNGS, { name: 'audio' }]) await mkdir(join(dir, name), { recursive: true });
  const split = RUNGS.map((_, i) => `[s${i}]`).join('');
  const graph = [
    `[0:v]split=${RUNGS.length}${split}`,
    ...RUNGS.map(({ size }, i) => `[s${i}]scale=${size}[v${i}]`),
  ].join(';');
  const outputs = RUNGS.flatMap(({ name, crf, maxrate }, i) => [
    ...['-map', `[v${i}]`, '-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-pix_fmt', 'yuv420p'],
    ...['-crf', `${crf}`, '-maxrate', `${maxrate}k`, '-bufsize', `${maxrate * 2}k`],
    ...['-g', '60', '-keyint_min', '60', '-sc_threshold', '0', ...HLS],
    ...[
      '-hls_fmp4_init_filename',
      'init.mp4',
      '-hls_segment_filename',
      join(dir, name, 'seg-%05d.m4s'),
      join(dir, name, 'index.m3u8'),
    ],
  ]);
  const sound = [
    '-map',
    '0:a',
    '-c:a',
    'aac',
    '-b:a',
    '128k',
    ...HLS,
    '-hls_segment_filename',
    join(dir, 'audio', 'seg-%05d.m4s'),
    join(dir, 'audio', 'index.m3u8'),
  ];
  const started = performance.now();
  await run('ffmpeg', [
    '-nostdin',
    '-hide_banner',
    '-loglevel',
    'error',
    '-y',
    '-i',
    input,
    '-filter_complex',
    graph,
    ...outputs,
    ...sound,
  ]);
  return (performance.now() - started) / 1000;
}
