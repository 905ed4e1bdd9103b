/** What goes wrong between us and the store, in the words of `contracts/errors.ts`. */
import { MediaError } from '../contracts/errors.js';

/** The store answered, but with a status that says "later". */
export class StoreStatusError extends Error {
  constructor(readonly status: number) {
    super(`the object store answered with HTTP status ${status}`);
    this.name = 'StoreStatusError';
  }
}

/** 405 is what S3 answers for a version that is a delete marker. */
const MISSING = new Set(['NoSuchKey', 'NotFound', 'NoSuchBucket', 'NoSuchVersion', 'NoSuchUpload', 'MethodNotAllowed']);
const BAD_KEY = new Set(['KeyTooLongError', 'XMinioInvalidObjectName', 'XMinioInvalidResourceName']);

/** A full disk or quota of this machine as NO_SPACE; every other error as it is. */
export function asNoSpace(error: unknown): unknown {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' ? new MediaError('NO_SPACE', undefined, { cause: error }) : error;
}

/**
 * Maps an error of the S3 client, of the network or of a local file.
 * Mistakes in our own code and errors of local files other than a full disk stay what they are.
 */
export function asStoreError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || MediaError.is(error)) return error;
  const local = asNoSpace(error);
  if (local !== error) return local;
  const { code, path, name } = error as NodeJS.ErrnoException;
  if (code && MISSING.has(code)) return new MediaError('OBJECT_MISSING', undefined, { cause: error });
  if (code === 'PreconditionFailed') return new MediaError('OBJECT_GONE', undefined, { cause: error });
  // The client's own checks throw errors without a code, named by their class.
  const kind = error.constructor.name;
  if (kind === 'InvalidObjectNameError' || (code && BAD_KEY.has(code))) {
    return new MediaError('OBJECT_KEY_INVALID', undefined, { cause: error });
  }
  if (kind === 'InvalidBucketNameError') return new MediaError('OBJECT_MISSING', undefined, { cause: error });
  if (path !== undefined || name === 'TypeError' || name === 'RangeError') return error;
  return new MediaError('STORE_UNAVAILABLE', undefined, { cause: error });
}
