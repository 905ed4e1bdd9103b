/** Which files ffmpeg and ffprobe may open, and how. */

/**
 * Demuxers of self-contained binary files. Not on the list: everything that opens other files or
 * runs scripts (hls, dash, concat, image2, lavfi, ...), pictures, and text.
 */
const DEMUXERS = [
  'mov', 'matroska', 'avi', 'flv', 'mpegts', 'mpeg', 'mpegvideo', 'asf', 'rm', 'ogg', 'mxf', 'gxf', 'dv', 'ivf', 'nut', 'wtv', 'nsv',
  'h264', 'hevc', 'm4v', 'vc1', 'obu', 'mp3', 'aac', 'flac', 'wav', 'w64', 'aiff', 'caf', 'au', 'ac3', 'eac3', 'dts', 'amr', 'ape',
  'wv', 'tta', 'mpc', 'mpc8', 'rso', 'tak', 'truehd',
] as const; // prettier-ignore

/** Options before an input of ours: no demuxer off the list. (That no protocol but files is allowed, the tools see to.) */
export const SAFE_INPUT: readonly string[] = ['-format_whitelist', DEMUXERS.join(',')];

/** The same, with the demuxer that inspection found. */
export function forcedInput(container: string): string[] {
  return ['-format_whitelist', container, '-f', container];
}
