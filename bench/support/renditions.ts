/** Streams put together into one file, as players see them: init segment and all segments of a playlist. */
import { createWriteStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import type { RenditionDocument } from '../../src/contracts/assets.js';

/** The URIs of a media playlist, the init segment first. */
export function urisOf(playlist: string): string[] {
  const lines = playlist.split('\n').map((line) => line.trim());
  const init = /^#EXT-X-MAP:.*URI="([^"]+)"/m.exec(playlist)?.[1];
  return [...(init ? [init] : []), ...lines.filter((line) => line && !line.startsWith('#'))];
}

export async function fetchStream({ url }: Pick<RenditionDocument, 'url'>, path: string): Promise<string> {
  const playlist = await (await fetch(url)).text();
  async function* bytes() {
    for (const uri of urisOf(playlist)) {
      const response = await fetch(new URL(uri, url));
      if (!response.ok) throw new Error(`${response.status} for ${uri}`);
      yield Buffer.from(await response.arrayBuffer());
    }
  }
  await pipeline(bytes, createWriteStream(path));
  return path;
}

/** The same of a folder on disk. */
export async function joinStream(dir: string, path: string): Promise<string> {
  const playlist = await readFile(join(dir, 'index.m3u8'), 'utf8');
  async function* bytes() {
    for (const uri of urisOf(playlist)) yield await readFile(join(dir, uri));
  }
  await pipeline(bytes, createWriteStream(path));
  return path;
}

export async function bytesBelow(dir: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(dir)) sum += (await stat(join(dir, name))).size;
  return sum;
}
