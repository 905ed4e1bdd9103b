/** One upload in one stream: what HTTP bodies, gRPC streams, fetched URLs and the old image service have in common. */
import type { Readable } from 'node:stream';

import type { Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import type { UploadFacts } from './facts.js';

export interface Received {
  readonly uploadId: string;
  readonly assetId: string;
  readonly bytes: number;
  /** Of the bytes, 64 hexadecimal digits. */
  readonly sha256: string;
}

export type ReceiveContext = Pick<ApiContext, 'config' | 'logger' | 'db' | 'store' | 'wake'>;

/**
 * Streams bytes into the store while they come; nothing is ever buffered whole. The object appears only when size and
 * SHA-256 are what the uploader announced: a stream that breaks, lies or is too large leaves nothing behind. When it
 * resolves, the asset has a row in state `received` and its event is on its way.
 *
 * @throws ApiProblem `invalid-request`, `forbidden`, `too-large`, `checksum-mismatch`, `quota-exceeded`, `busy`
 * @throws MediaError STORE_UNAVAILABLE, CATALOGUE_UNAVAILABLE
 */
export async function receiveStream(
  _context: ReceiveContext,
  _caller: Caller,
  _facts: UploadFacts,
  _stream: Readable,
  _signal?: AbortSignal,
): Promise<Received> {
  throw new Error('being written');
}
