/** Base64 (RFC 4648, 4) as it comes in. */
import { ApiProblem } from '../problems.js';

/** Programs break the text into lines. */
const SPACE = /[\r\n\t ]+/g;
const TEXT = /^[A-Za-z0-9+/]*={0,2}$/;
const QUARTET = 4;

/**
 * The bytes, as far as they are known; nothing is kept of them.
 *
 * @param maxBytes that they may be
 * @throws ApiProblem `invalid-request` at the first character that can't be, `too-large`
 */
export async function* decodeBase64(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Buffer> {
  let rest = '';
  let isOver = false;
  let bytes = 0;
  for await (const piece of source) {
    const text =
      rest + Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1').replace(SPACE, '');
    if (text === rest) continue;
    if (isOver) throw refusal('Something follows its end.');
    if (!TEXT.test(text)) throw refusal('It has other characters.');
    const whole = text.length - (text.length % QUARTET);
    rest = text.slice(whole);
    isOver = text.endsWith('=', whole);
    if (whole === 0) continue;
    const decoded = Buffer.from(text.slice(0, whole), 'base64');
    bytes += decoded.length;
    if (bytes > maxBytes) throw new ApiProblem('too-large', { detail: `At most ${maxBytes} bytes are allowed.` });
    yield decoded;
  }
  if (rest !== '') throw refusal('Its end is missing.');
}

const refusal = (detail: string): ApiProblem =>
  new ApiProblem('invalid-request', { detail: `The body is not base64. ${detail}` });
