/** The tools of this process: sandboxed, supervised, limited. */
import { availableParallelism } from 'node:os';
import type { Config } from '../config/schema.js';
import type { Logger } from '../logging/logger.js';
import type { SpawnSandboxed } from './child.js';
import { createImagePool } from './images/pool.js';
import { runFfmpeg, runFfprobe } from './ffmpeg/run.js';
import { IMAGEMAGICK, runMagick } from './imagemagick/run.js';
import { heifRunner } from './libheif/run.js';
import { findFirst } from './locate.js';
import { runPoppler } from './poppler/run.js';
import { detectHost } from './protections.js';
import { PROTECTIONS } from './sandbox.js';
import { createSpawner } from './spawn.js';
import type { Tools } from './tools.js';

/** The tools that activities call, each with the other names that it goes by. */
const PROGRAMS: readonly (readonly string[])[] = [['ffmpeg'], ['ffprobe'], IMAGEMAGICK, ['pdftoppm']];

/**
 * @param dir where image slots get their folders: the process's own scratch folder, which is swept when it is killed
 * @param around stands between the tools and every child that they start
 * @throws Error when `sandbox.mode` is `strict` and this host can't isolate decoders.
 */
export async function createTools(
  config: Config,
  logger: Logger,
  dir: string,
  around: (spawn: SpawnSandboxed) => SpawnSandboxed = (spawn) => spawn,
): Promise<Tools> {
  const host = await detectHost(config.sandbox.mode);
  const protections = PROTECTIONS[host.means];
  const isWeak = !(protections.fileSystem && protections.network && protections.privileges && protections.resources);
  logger[isWeak ? 'warn' : 'info'](`Decoders run under ${protections.by}`, { protections });
  for (const names of PROGRAMS) {
    if (findFirst(names) === undefined) logger.warn(`${names.join(' or ')} is not installed; what needs it will fail`);
  }
  const spawn = around(createSpawner(host));
  const cores = availableParallelism();
  const slots = config.workers.imageConcurrency || cores;
  const images = await createImagePool({
    spawn,
    dir,
    slots,
    // Two at least: a slot seldom has its core for itself alone, but neighbours often are idle.
    threads: Math.max(2, Math.ceil(cores / slots)),
    memoryMiB: config.limits.imageMemoryMiB,
    seconds: config.limits.imageSeconds,
    maxPixels: Math.floor(config.limits.maxMegapixels * 1e6),
    onCollapse: (how, detail) => logger.warn(`An image process gave way: ${how}`, { detail }),
  });
  return {
    protections,
    ffmpeg: (run) => runFfmpeg(spawn, run),
    ffprobe: (run) => runFfprobe(spawn, run),
    magick: (run) => runMagick(spawn, run),
    heif: heifRunner(spawn),
    poppler: (program, run) => runPoppler(spawn, program, run),
    withImageSlot: (use, options) => images.withSlot(use, options),
    close: () => images.close(),
  };
}
