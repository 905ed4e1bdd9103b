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

/** The first bytes of a file, or all when it has fewer. */
export async function readHead(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
