/** Base64 (RFC 4648, 4) as it comes in. */
import { ApiProblem } from '../problems.js';

/** Programs break the text into lines. */
const SPACE = /[\r\n\t ]+/g;
const TEXT = /^[A-Za-z0-9+/]*={0,2}$/;
const QUARTET = 4;

/**
 * The bytes, as far as they are known; nothing is kept of them.
 *
 * @throws ApiProblem `invalid-request` at the first character that can't be
 */
export async function* decodeBase64(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = '';
  let isOver = false;
  for await (const piece of source) {
    const text =
      rest + Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1').replace(SPACE, '');
    if (text === rest) continue;
    if (isOver) throw refusal('Something follows its end.');
    if (!TEXT.test(text)) throw refusal('It has other characters.');
    const whole = text.length - (text.length % QUARTET);
    rest = text.slice(whole);
    isOver = text.endsWith('=', whole);
    if (whole > 0) yield Buffer.from(text.slice(0, whole), 'base64');
  }
  if (rest !== '') throw refusal('Its end is missing.');
}

const refusal = (detail: string): ApiProblem =>
  new ApiProblem('invalid-request', { detail: `The body is not base64. ${detail}` });
