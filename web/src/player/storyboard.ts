/** WebVTT thumbnails: which part of which sheet shows a moment. Pure. */

export interface Tile {
  readonly from: number;
  readonly to: number;
  readonly sheet: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const seconds = (text: string): number => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

/** @param base URL of the text: sheets are named relative to it, and take its query along */
export function parseStoryboard(text: string, base: string): Tile[] {
  const query = new URL(base).search;
  return text.split(/\r?\n\r?\n/).flatMap((block) => {
    const lines = block.trim().split(/\r?\n/);
    const at = lines.findIndex((line) => line.includes('-->'));
    const [, from, to] = /^(\S+)\s+-->\s+(\S+)/.exec(lines[at] ?? '') ?? [];
    const [, path, x, y, width, height] = /^(.*)#xywh=(\d+),(\d+),(\d+),(\d+)$/.exec(lines[at + 1] ?? '') ?? [];
    if (from === undefined || to === undefined || path === undefined) return [];
    const url = new URL(path, base);
    if (!url.search) url.search = query;
    const place = { x: Number(x), y: Number(y), width: Number(width), height: Number(height) };
    return [{ from: seconds(from), to: seconds(to), sheet: url.href, ...place }];
  });
}

/** The last one that begins before it; tiles are in order. */
export function tileAt(tiles: readonly Tile[], time: number): Tile | undefined {
  let [low, high] = [0, tiles.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tiles[middle]!.from <= time) low = middle + 1;
    else high = middle;
  }
  return tiles[low - 1] ?? tiles[0];
}
