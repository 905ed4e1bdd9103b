/** What libvips says went wrong, as a fault. It has no error codes: its words, and those of the codecs below it, are all there is. */
import type { ImageFault } from './protocol.js';

/** The first that fits. `memory` stands for every limit of the process. It comes before all else: a refused allocation ends in complaints about the file. */
const WORDS: readonly (readonly [RegExp, ImageFault])[] = [
  [/(out of|insufficient|unable to allocate|cannot allocate) memory|memory (allocation )?error|bad_alloc/i, 'memory'],
  [/unable to allocate|allocation failed|malloc failed|file too large/i, 'memory'],
  [/no space left|disk quota|disc full/i, 'space'],
  [/exceeds pixel limit/i, 'pixels'],
  [/unsupported image format|exceeds channel limit/i, 'unsupported'],
];

export function faultOf(message: string): ImageFault {
  return WORDS.find(([words]) => words.test(message))?.[1] ?? 'damaged';
}
