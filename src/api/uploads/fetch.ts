/** Uploads by URL: we fetch, from the public Internet and nowhere else. */
import { fetchPublic, FetchRefused, type FetchOptions } from '../../net/fetch-public.js';
import { mustAllow, type Caller } from '../caller.js';
import { ApiProblem } from '../problems.js';
import { checkFacts, type UploadFacts } from './facts.js';
import { receiveStream, type ReceiveContext, type Received } from './receive.js';

/** Whatever it is, the server that has it brings it within. Milliseconds. */
const LONGEST = 6 * 3600 * 1000;

/**
 * @throws ApiProblem `url-refused`, and whatever `receiveStream` throws
 */
export async function fetchUpload(
  context: ReceiveContext,
  caller: Caller,
  facts: UploadFacts,
  url: string,
  options: Omit<FetchOptions, 'signal'> = {},
): Promise<Received> {
  if (context.config.http.fetchUrls === 'off') {
    throw new ApiProblem('url-refused', { detail: 'Uploads by URL are switched off here (http.fetchUrls).' });
  }
  // Before anybody is asked for anything.
  mustAllow(caller, 'write');
  checkFacts(context.config, facts);
  const signal = AbortSignal.timeout(LONGEST);
  try {
    const response = await fetchPublic(url, { ...options, signal });
    const length = response.headers['content-length'];
    const more = {
      contentType: response.headers['content-type'],
      fileName: facts.fileName ?? nameIn(url),
      size: length === undefined ? undefined : Number(length),
    };
    return await receiveStream(context, caller, { ...facts, ...more }, response, signal);
  } catch (error) {
    if (error instanceof FetchRefused) throw new ApiProblem('url-refused', { detail: error.message });
    // The other server broke off.
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') {
      throw new ApiProblem('url-refused', { detail: 'The server ended the connection too early.' });
    }
    throw error;
  }
}

function nameIn(url: string): string | undefined {
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(last) || undefined;
  } catch {
    return undefined;
  }
}
