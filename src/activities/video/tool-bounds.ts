/** Bounds of the tools that read video: against hostile input, not against long work. */
import { availableParallelism } from 'node:os';

import type { Config } from '../../config/schema.js';
import type { ToolLimits } from '../../tools/tools.js';

/** A machine that needs longer than this many times real time will not get there. */
const SLOWEST = 30;
/** Start-up, and sources of no length to speak of. Seconds. */
const AT_LEAST = 600;
/** Reading all packets of the largest upload from a slow disk. Seconds. */
const PROBE_SECONDS = 1500;
/** The largest single file: a segment or a poster frame. MiB. */
const OUTPUT_MIB = 512;

export function encodeLimits({ limits }: Pick<Config, 'limits'>, mediaSeconds: number): ToolLimits {
  return bounds(limits.videoMemoryMiB, AT_LEAST + mediaSeconds * SLOWEST);
}

export function probeLimits({ limits }: Pick<Config, 'limits'>): ToolLimits {
  return bounds(limits.videoMemoryMiB, PROBE_SECONDS);
}

const bounds = (memoryMiB: number, wall: number): ToolLimits => ({
  memoryMiB,
  wallSeconds: Math.ceil(wall),
  cpuSeconds: Math.ceil(wall) * availableParallelism(),
  fileMiB: OUTPUT_MIB,
});
