/** Argument lists for ffmpeg, put in order by fluent-ffmpeg; nothing is run through it. */
import ffmpeg from 'fluent-ffmpeg';
import type { FfmpegCommand, FfmpegFile } from '../../media/ffmpeg-command.js';

/** What fluent-ffmpeg's types leave out: its one method that gives the list away instead of running it. */
interface Arguments {
  _getArguments(): string[];
}

/**
 * The argument list of a described run, without the program's name and what `runFfmpeg` adds.
 *
 * @throws Error for a file name that could be read as something else than a file of the scratch folder.
 */
export function ffmpegArguments(description: FfmpegCommand): string[] {
  const command = ffmpeg();
  // Spread: of a list in one argument, fluent-ffmpeg splits every option of two words, a title for one.
  for (const input of description.inputs) {
    command.input(fileName(input));
    if (input.options.length > 0) command.inputOptions(...input.options);
  }
  for (const output of description.outputs) {
    command.output(fileName(output));
    if (output.options.length > 0) command.outputOptions(...output.options);
  }
  if (description.filterGraph !== undefined) command.complexFilter(description.filterGraph);
  return (command as unknown as Arguments)._getArguments();
}

/** lavfi sources are descriptions, not files; `-` is where ffmpeg's `null` muxer writes nothing. */
function fileName({ file, options }: FfmpegFile): string {
  if (file === '-' || isSource(options)) return file;
  if (file.startsWith('/') || file.split('/').includes('..') || /[:\0\n]/.test(file)) {
    throw new Error(`Not a name within scratch: ${JSON.stringify(file)}`);
  }
  return file.startsWith('./') ? file : `./${file}`;
}

function isSource(options: readonly string[]): boolean {
  return options.some((option, index) => option === '-f' && options[index + 1] === 'lavfi');
}
