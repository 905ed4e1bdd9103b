/** One ffmpeg run as plain data; `src/tools/ffmpeg/command.ts` turns it into an argument list. */

export interface FfmpegFile {
  /**
   * A name of our own, relative to the scratch folder: `source`, `v/720p/%05d.m4s`, or `-` for standard
   * output. Never a name from outside. A file gets `./` in front, so that it can't be read as an option
   * or as a protocol.
   */
  readonly file: string;
  /** Options of this file in ffmpeg's order, already split: `['-ss', '4', '-t', '12']`. */
  readonly options: readonly string[];
}

export interface FfmpegCommand {
  readonly inputs: readonly FfmpegFile[];
  /** The `-filter_complex` graph. Built from numbers and names of ours, never from outside text. */
  readonly filterGraph?: string | undefined;
  readonly outputs: readonly FfmpegFile[];
}
