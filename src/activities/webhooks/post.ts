/** One POST to an address that a tenant chose: to the public Internet only, and no further than that address. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

import { publicLookup, RefusedAddress, refuseLiteral } from '../../net/public-address.js';

/** Milliseconds, from the connection to the end of the answer's head. The specification advises 15 to 30 seconds. */
const TIME_LIMIT = 20_000;

export interface Answer {
  /** Absent when there was no answer. */
  readonly status?: number | undefined;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  /** A sentence, when it was not accepted. Names nothing of our network. */
  readonly error?: string | undefined;
}

export interface PostOptions {
  /** Any address, over HTTP too. */
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeLimit?: number | undefined;
  /** Absent: POST. */
  readonly method?: string | undefined;
}

/**
 * Whatever goes wrong is the receiver's, and part of the answer. A redirect is not followed: it is an answer like any
 * other. Of the answer's body nothing is read.
 *
 * @throws the signal's reason
 */
export async function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { allowPrivate, signal, timeLimit = TIME_LIMIT, method = 'POST' }: PostOptions,
): Promise<Answer> {
  const deadline = AbortSignal.timeout(timeLimit);
  try {
    if (!allowPrivate) {
      if (url.protocol !== 'https:') return { error: 'It is not HTTPS.' };
      refuseLiteral(url);
    }
    return await send(url, headers, body, { method, allowPrivate, signal: AbortSignal.any([signal, deadline]) });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (deadline.aborted) return { error: `There was no answer within ${timeLimit / 1000} s.` };
    return { error: sentenceOf(error) };
  }
}

function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { method, allowPrivate, signal }: PostOptions,
): Promise<Answer> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      // A connection of its own: one that was kept would skip the look at its address.
      agent: false,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      signal,
      ...(!allowPrivate && { lookup: publicLookup }),
    });
    sent.on('error', reject);
    sent.once('response', ({ statusCode: status = 0, headers: answered }) => {
      resolve({
        status,
        retryAfter: secondsOf(answered['retry-after']),
        ...((status < 200 || status > 299) && { error: `The answer was ${status}.` }),
      });
      sent.destroy();
    });
    sent.end(body);
  });
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function secondsOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return seconds > 0 ? seconds : undefined;
}

const SENTENCES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'Its name is not known.',
  EAI_AGAIN: 'Its name could not be looked up.',
  ECONNREFUSED: 'It refused the connection.',
  ECONNRESET: 'It broke the connection off.',
  EHOSTUNREACH: 'It can not be reached.',
  ENETUNREACH: 'It can not be reached.',
  ETIMEDOUT: 'It can not be reached.',
};

function sentenceOf(error: unknown): string {
  if (error instanceof RefusedAddress) return 'Its address is not public.';
  const { code = '' } = error as { code?: string };
  return (
    SENTENCES[code] ??
    (/CERT|TLS|SSL|SIGNATURE/.test(code) ? 'Its certificate is not valid.' : 'It could not be spoken to.')
  );
}
