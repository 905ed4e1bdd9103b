/** A request's body as a stream of ours: what becomes of it, the answer still finds its way. */
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';

import { paced } from '../../../api/uploads/paced.js';
import { ApiProblem } from '../../../api/problems.js';

/** So long a sender that was refused may go on sending, to read why. Milliseconds. */
const LINGER = 3_000;

/** Destroying it leaves the connection alone: iterators of a request, and streams made of them, end it. */
export function bodyOf(request: IncomingMessage): Readable {
  const body = new PassThrough();
  const gone = (): void => {
    body.destroy(new ApiProblem('invalid-request', { detail: 'The request ended before its body did.' }));
  };
  request.on('error', gone);
  request.once('close', () => request.complete || gone());
  return request.pipe(body);
}

/** After the answer: what is left of the body is read and forgotten, for a while, not for ever. */
export function letGo(request: IncomingMessage): void {
  if (request.complete) return;
  request.resume();
  const timer = setTimeout(() => request.complete || request.destroy(), LINGER);
  timer.unref();
}

/** @throws ApiProblem `too-large`, `request-timeout` */
export async function readWhole(request: IncomingMessage, most: number, seconds: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of paced(bodyOf(request), seconds)) {
    bytes += piece.length;
    if (bytes > most) throw new ApiProblem('too-large', { detail: `At most ${most} bytes are allowed.` });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
