/** Reads ffmpeg's `-progress` lines. */
import type { FfmpegProgress } from '../tools.js';

export interface ProgressBlock extends FfmpegProgress {
  /** Bytes written, all outputs. */
  readonly bytes: number;
}

/**
 * Returns a taker of lines that gives a block whenever one is complete. A field that ffmpeg does not know yet
 * (`N/A`), or does not have (frames of an audio encode), keeps its last value, 0 at first.
 */
export function createProgressParser(onBlock: (block: ProgressBlock) => void): (line: string) => void {
  let block: ProgressBlock = { frame: 0, outTime: 0, speed: 0, bytes: 0 };
  return (line) => {
    const at = line.indexOf('=');
    const key = line.slice(0, at).trim();
    const value = Number.parseFloat(line.slice(at + 1));
    if (key === 'progress') onBlock(block);
    else if (Number.isNaN(value)) return;
    else if (key === 'frame') block = { ...block, frame: value };
    // Microseconds; negative before the first frame of a stream that starts late.
    else if (key === 'out_time_us') block = { ...block, outTime: Math.max(0, value / 1e6) };
    else if (key === 'speed') block = { ...block, speed: value };
    else if (key === 'total_size') block = { ...block, bytes: value };
  };
}
