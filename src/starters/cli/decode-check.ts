/** Decodes what was published, from the URLs that others get: the demo's proof. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { AssetDocument } from '../../contracts/assets.js';

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
    try {
      const streams = await decode(rendition.url);
      const facts = streams.map(describe).join(' + ');
      const picture = streams.find(({ codec_type }) => codec_type === 'video');
      const wrongSize =
        rendition.width !== undefined && (picture?.width !== rendition.width || picture?.height !== rendition.height);
      const nothing = streams.length === 0 || streams.some(({ nb_read_frames }) => !Number(nb_read_frames));
      const problem = nothing
        ? 'nothing could be decoded'
        : wrongSize
          ? `expected ${rendition.width}x${rendition.height}`
          : undefined;
      checked.push({ name: rendition.name, facts, problem });
    } catch (error) {
      checked.push({
        name: rendition.name,
        facts: '',
        problem: (error as { stderr?: string }).stderr?.trim() || String(error),
      });
    }
  }
  return checked;
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
  return [width ? `${width}x${height}` : undefined, codec, `${frames ?? 0} frames`].filter(Boolean).join(' ');
}
