/** What becomes of a picture of every format: the table of docs/formats.md, made by `npm run formats`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import sharp from 'sharp';

import { MediaError } from '../../src/contracts/errors.js';
import type { ImagePlan } from '../../src/contracts/image.js';
import type { Studio } from '../activities/image/studio.js';
import { pictures, scene, type Picture } from './pictures.js';
import { RAW_FILES } from './raw-files.js';

/** Collected from the test suites of others; not part of the project. */
export const FIXTURES = resolve(import.meta.dirname, '../../../shared/fixtures');

export const COLUMNS = ['Picture', 'Format', 'Size', 'Read by', 'Outputs', 'Time'] as const;

/** One of ours for every way in which a format is read. */
export async function ownPictures(): Promise<Picture[]> {
  const large = await jpeg(480, 360);
  const small = await jpeg(48, 36);
  const made = await pictures();
  const raw = Object.entries(RAW_FILES).map(([name, file]) => ({
    name,
    bytes: file({ large, small, orientation: 6 }),
  }));
  return [...made.filter(({ name }) => !(name in RAW_FILES)), ...raw];
}

const jpeg = (width: number, height: number): Promise<Buffer> =>
  sharp(scene(width, height), { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();

/** Those of the fixtures that are pictures, or say that they are; none where there are no fixtures. */
export function fixturePictures(): Picture[] {
  return ['image', 'hostile'].flatMap((folder) => {
    const dir = join(FIXTURES, folder);
    const files = existsSync(dir) ? readdirSync(dir).sort() : [];
    return files
      .filter((file) => folder === 'image' || /\.(png|gif|jpg|webp|svg)$/.test(file))
      .map((file) => ({ name: `${folder}/${file}`, bytes: readFileSync(join(dir, file)) }));
  });
}

/** The cells of one row; the time in whole seconds, so that it is the same on each run. */
export async function matrixRow(studio: Studio, { name, bytes }: Picture): Promise<string[]> {
  const started = performance.now();
  const cells = await studio.process(bytes).then(
    ({ plan }) => [plan.format, sizeOf(plan), plan.reader, outputsOf(plan)],
    (error: unknown) => {
      if (!MediaError.is(error)) throw error;
      return ['', '', '', `\`${error.code}\``];
    },
  );
  return [`\`${name}\``, ...cells, `< ${Math.ceil((performance.now() - started) / 1000)} s`];
}

function sizeOf({ width, height, frames, hasAlpha }: ImagePlan): string {
  const more = [...(frames > 1 ? [`${frames} frames`] : []), ...(hasAlpha ? ['alpha'] : [])];
  return [`${width}x${height}`, ...more].join(', ');
}

/** `thumb.jpg, w320 w640 (avif webp jpg)` */
function outputsOf({ variants, loops }: ImagePlan): string {
  const byEndings = new Map<string, string[]>();
  const stems = [...new Set(variants.map(({ name }) => stem(name)))];
  for (const each of stems) {
    const endings = variants.filter(({ name }) => stem(name) === each).map(({ name }) => name.split('.')[1]!);
    const key = endings.join(' ');
    byEndings.set(key, [...(byEndings.get(key) ?? []), each]);
  }
  const groups = [...byEndings].map(([endings, names]) => `${names.join(' ')} (${endings})`);
  return [...groups, ...loops.map(({ name }) => name)].join(', ');
}

const stem = (name: string): string => name.split('.')[0]!;

export function markdown(rows: readonly (readonly string[])[]): string {
  const lines = [COLUMNS, COLUMNS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n');
}

/** The cells of every row between the markers of a document. */
export function rowsIn(document: string): string[][] {
  const text = /<!-- matrix:start -->\n([^]*)<!-- matrix:end -->/.exec(document)?.[1];
  if (text === undefined) throw new Error('The document has no matrix');
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
