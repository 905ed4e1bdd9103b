/** Which picture formats the programs installed here read: they are asked, not guessed by version. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { ImageReader } from '../contracts/image.js';
import { IMAGE_FORMATS, type ImageFormat } from '../media/image/formats.js';
import { IMAGEMAGICK } from './imagemagick/run.js';
import { LIBHEIF } from './libheif/run.js';
import { findFirst } from './locate.js';

/** What programs say of themselves, as they print it; empty where one is not installed. */
export interface Statements {
  /** `convert -list format` */
  readonly magick: string;
  /** `ffmpeg -decoders` */
  readonly ffmpeg: string;
  /** `heif-convert --list-decoders` */
  readonly libheif: string;
  /** `pdftoppm -v` */
  readonly poppler: string;
}

export interface ImageAbilities {
  /** Names of formats. */
  readonly read: readonly string[];
  /** What is missing, and the Debian package that brings it. */
  readonly missing: readonly { readonly format: string; readonly brings: string }[];
}

/** Decoders by the demuxer that their format is read by. */
const FFMPEG_DECODERS: Readonly<Record<string, readonly string[]>> = {
  exr_pipe: ['exr'],
  jpegxl_pipe: ['libjxl', 'jpegxl'],
  apng: ['apng'],
};

/** Debian's packages. sharp comes with npm. */
const BRINGS: Record<ImageReader, string> = {
  sharp: 'npm ci',
  preview: 'npm ci',
  imagemagick: 'imagemagick',
  libheif: 'libheif-examples',
  ffmpeg: 'ffmpeg',
  poppler: 'poppler-utils',
};

export function abilitiesFrom(statements: Statements): ImageAbilities {
  const read: string[] = [];
  const missing: { format: string; brings: string }[] = [];
  for (const format of IMAGE_FORMATS) {
    if (isRead(format, statements)) read.push(format.name);
    else missing.push({ format: format.name, brings: BRINGS[format.reader] });
  }
  return { read, missing };
}

function isRead({ name, reader, input = '' }: ImageFormat, { magick, ffmpeg, libheif, poppler }: Statements): boolean {
  switch (reader) {
    case 'sharp':
    case 'preview':
      return true;
    case 'poppler':
      return poppler !== '';
    case 'ffmpeg':
      return (FFMPEG_DECODERS[input] ?? [input]).some((decoder) => new RegExp(`^ V\\S+ ${decoder} `, 'm').test(ffmpeg));
    case 'libheif':
    case 'imagemagick':
      if (name === 'heic' && /libde265|ffmpeg/i.test(libheif)) return true;
      return new RegExp(`^\\s*${input.toUpperCase()}\\*?\\s+\\S+\\s+r`, 'm').test(magick);
  }
}

/** Asks the programs on PATH. */
export async function imageAbilities(): Promise<ImageAbilities> {
  const [magick, ffmpeg, libheif, poppler] = await Promise.all([
    say(IMAGEMAGICK, ['-list', 'format']),
    say(['ffmpeg'], ['-v', 'error', '-decoders']),
    say(LIBHEIF, ['--list-decoders']),
    say(['pdftoppm'], ['-v']),
  ]);
  return abilitiesFrom({ magick, ffmpeg, libheif, poppler });
}

const run = promisify(execFile);

async function say(names: readonly string[], args: readonly string[]): Promise<string> {
  const command = findFirst(names);
  if (command === undefined) return '';
  // One that is there and does not run reads nothing.
  const said = await run(command, [...args], { timeout: 20_000 }).catch(() => undefined);
  return said ? said.stdout + said.stderr : '';
}
