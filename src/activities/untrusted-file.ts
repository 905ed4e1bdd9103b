/** Files that a decoder or encoder left: made by a process that is not trusted. */
import { closeSync, constants, fstatSync, openSync, readFile, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

import { MediaError } from '../contracts/errors.js';

/** Read in less than a millisecond. */
const SMALL_BYTES = 1024 ** 2;

const readAll = promisify<number, Buffer>(readFile);

/**
 * A link in a scratch folder could lead to any file of ours, a pipe could hang: only regular files are read.
 *
 * @returns undefined when there is none
 * @throws MediaError VERIFY_FAILED when it is something else than a file
 */
export async function readRegularFile(path: string): Promise<Buffer | undefined> {
  try {
    // Opened and, where it is small, read at once: it is in the system's cache, and ways round by threads cost ten times more.
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) throw new MediaError('VERIFY_FAILED', 'An output is not a file.');
      return stat.size <= SMALL_BYTES ? readFileSync(file) : await readAll(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if ((error as NodeJS.ErrnoException).code === 'ELOOP')
      throw new MediaError('VERIFY_FAILED', 'An output is not a file.');
    throw error;
  }
}

/** Bytes. What is read of a file here and there mostly lies close together. */
const WINDOW = 65_536;

/**
 * For readers that follow offsets through a file.
 *
 * @param use gets `read(offset, length)`: as many of the bytes as there are, none beyond the file
 */
export async function withBytes<T>(
  path: string,
  use: (read: (offset: number, length: number) => Promise<Buffer>, fileBytes: number) => Promise<T>,
): Promise<T> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    let window: { readonly offset: number; readonly bytes: Buffer } = { offset: 0, bytes: Buffer.alloc(0) };
    const load = async (offset: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    };
    return await use(
      async (offset, length) => {
        if (!Number.isSafeInteger(offset) || offset < 0) return Buffer.alloc(0);
        if (length > WINDOW) return load(offset, length);
        const start = offset - window.offset;
        if (start < 0 || start + length > window.bytes.length) window = { offset, bytes: await load(offset, WINDOW) };
        return window.bytes.subarray(offset - window.offset, offset - window.offset + length);
      },
      (await file.stat()).size,
    );
  } finally {
    await file.close();
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
