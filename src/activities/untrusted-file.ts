/** Files that a decoder or encoder left: made by a process that is not trusted. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { MediaError } from '../contracts/errors.js';

/**
 * A link in a scratch folder could lead to any file of ours, a pipe could hang: only regular files are read.
 *
 * @returns undefined when there is none
 * @throws MediaError VERIFY_FAILED when it is something else than a file
 */
export async function readRegularFile(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) throw new MediaError('VERIFY_FAILED', 'An output is not a file.');
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if ((error as NodeJS.ErrnoException).code === 'ELOOP')
      throw new MediaError('VERIFY_FAILED', 'An output is not a file.');
    throw error;
  }
}
