/** A request's body as a stream of ours: what becomes of it, the answer still finds its way. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

import { paced } from '../../../api/uploads/paced.js';
import { ApiProblem } from '../../../api/problems.js';

/** So long a sender that was refused may go on sending, to read why. Milliseconds. */
const LINGER = 10_000;

/** Destroying it leaves the connection alone. */
export function bodyOf(request: IncomingMessage): Readable {
  return Readable.from(request.iterator({ destroyOnReturn: false }), { objectMode: false });
}

/** After the answer, Node reads and forgets what is left of the body: for a while, not for ever. */
export function letGo(request: IncomingMessage, response: ServerResponse): void {
  response.once('close', () => undefined);
  response.once('finish', () => {
    if (request.complete) return;
    const timer = setTimeout(() => request.complete || request.socket.destroy(), LINGER);
    timer.unref();
  });
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
