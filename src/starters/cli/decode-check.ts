/** Decodes what was published, from the URLs that others get: the demo's proof. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { AssetDocument, RenditionDocument } from '../../contracts/assets.js';
import { decodePicture } from '../../tools/images/decode.js';
import { count } from './format.js';

const run = promisify(execFile);

export interface Checked {
  readonly name: string;
  /** What was decoded: `1280x720 h264, 600 frames`. */
  readonly facts: string;
  /** Why it is not good. */
  readonly problem?: string | undefined;
}

interface Stream {
  readonly codec_name?: string;
  readonly codec_type?: string;
  readonly width?: number;
  readonly height?: number;
  readonly nb_read_frames?: string;
}

/** Every rendition decoded to its last frame, every picture opened. */
export async function decodeAll(document: AssetDocument): Promise<Checked[]> {
  const checked: Checked[] = [];
  for (const rendition of document.renditions) {
    const { name } = rendition;
    try {
      checked.push({ name, ...(await check(rendition)) });
    } catch (error) {
      checked.push({ name, facts: '', problem: (error as { stderr?: string }).stderr?.trim() || String(error) });
    }
  }
  return checked;
}

function check(rendition: RenditionDocument): Promise<Omit<Checked, 'name'>> {
  if (rendition.type === 'storyboard') return checkSheets(rendition.url);
  // ffmpeg reads neither animated WebP nor, before its version 6, all of AVIF.
  return rendition.mime.startsWith('image/') ? checkPicture(rendition) : checkStreams(rendition);
}

async function checkPicture({ url, mime, width, height }: RenditionDocument): Promise<Omit<Checked, 'name'>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`status ${response.status}`);
  const found = await decodePicture(new Uint8Array(await response.arrayBuffer()));
  const facts = `${found.width}x${found.height} ${found.format}, ${count(found.frames, 'frame')}`;
  const isAsSaid = found.width === width && found.height === height && mime === `image/${found.format}`;
  return { facts, problem: isAsSaid ? undefined : `expected ${width}x${height} ${mime}` };
}

async function checkStreams({ url, width, height }: RenditionDocument): Promise<Omit<Checked, 'name'>> {
  const streams = await decode(url);
  const facts = streams.map(describe).join(' + ');
  const picture = streams.find(({ codec_type }) => codec_type === 'video');
  const wrongSize = width !== undefined && (picture?.width !== width || picture?.height !== height);
  const nothing = streams.length === 0 || streams.some(({ nb_read_frames }) => !Number(nb_read_frames));
  const problem = nothing ? 'nothing could be decoded' : wrongSize ? `expected ${width}x${height}` : undefined;
  return { facts, problem };
}

/** Every sheet that the WebVTT names must hold all the tiles that it names. */
async function checkSheets(url: string): Promise<Omit<Checked, 'name'>> {
  const text = await (await fetch(url)).text();
  const tiles = [...text.matchAll(/^(.+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm)].map(([, sheet, ...numbers]) => {
    const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
    return { sheet: sheet!, right: x + width, bottom: y + height };
  });
  const sheets = [...new Set(tiles.map(({ sheet }) => sheet))];
  const facts = `${count(tiles.length, 'tile')} on ${count(sheets.length, 'sheet')}`;
  for (const sheet of sheets) {
    const [picture] = await decode(new URL(sheet, url).href);
    const { width = 0, height = 0 } = picture ?? {};
    const outside = tiles.some((tile) => tile.sheet === sheet && (tile.right > width || tile.bottom > height));
    if (outside) return { facts, problem: `${sheet} is too small: ${width}x${height}` };
  }
  return { facts, problem: tiles.length === 0 ? 'it has no tiles' : undefined };
}

async function decode(url: string): Promise<Stream[]> {
  const { stdout, stderr } = await run(
    'ffprobe',
    [
      '-v',
      'error',
      '-count_frames',
      '-show_entries',
      'stream=codec_name,codec_type,width,height,nb_read_frames',
      '-of',
      'json',
      url,
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  if (stderr.trim()) throw new Error(stderr.trim());
  return (JSON.parse(stdout) as { streams: Stream[] }).streams;
}

function describe({ codec_name: codec, width, height, nb_read_frames: frames }: Stream): string {
  return [width ? `${width}x${height}` : undefined, codec, count(Number(frames ?? 0), 'frame')]
    .filter(Boolean)
    .join(' ');
}
