/** One file to the server by tus. A chunk of its own: loaded with the first file. */
import { DetailedError, Upload } from 'tus-js-client';
import { authorization, keyWanted, Refusal, refusalFrom } from '../lib/api.js';

/** Proxies limit the size of a request. Bytes. */
const CHUNK = 32 * 1024 ** 2;
/** After the last one it waits for somebody to press a button. Milliseconds. */
const RETRY_DELAYS = [300, 1000, 2000, 4000, ...Array<number>(40).fill(8000)];
/** The server says which asset it became. */
const ASSET_HEADER = 'Mediamill-Asset-Id';

export interface Sending {
  /** What is under way is dropped; the server keeps what it has. */
  pause(): Promise<void>;
}

export interface Listener {
  readonly onUrl: (url: string) => void;
  readonly onProgress: (sent: number) => void;
  /** It did not work just now, and will be tried again. */
  readonly onTrouble: (reason: string) => void;
  readonly onDone: (assetId: string | undefined) => void;
  readonly onRefused: (refusal: Refusal) => void;
}

export function send(file: File, url: string | undefined, on: Listener): Sending {
  let assetId: string | undefined;
  const upload = new Upload(file, {
    endpoint: '/v1/uploads',
    uploadUrl: url ?? null,
    chunkSize: CHUNK,
    retryDelays: RETRY_DELAYS,
    storeFingerprintForResuming: false,
    headers: authorization(),
    metadata: { filename: file.name, filetype: file.type },
    onUploadUrlAvailable: () => on.onUrl(upload.url!),
    onProgress: (sent) => on.onProgress(sent),
    onAfterResponse: (_request, response) => {
      assetId = response.getHeader(ASSET_HEADER) ?? assetId;
    },
    onShouldRetry: (error) => {
      const again = canRetry(error);
      if (again) on.onTrouble(refusalOf(error).message);
      return again;
    },
    onError: (error) => on.onRefused(refusalOf(error)),
    onSuccess: () => on.onDone(assetId),
  });
  upload.start();
  return { pause: () => upload.abort() };
}

/** Anything that a later try can mend: no answer, an outage, somebody else's lock, too many requests. */
function canRetry(error: Error): boolean {
  const status = statusOf(error);
  return status === 0 || status >= 500 || [408, 409, 423, 429].includes(status);
}

const statusOf = (error: Error): number =>
  error instanceof DetailedError ? (error.originalResponse?.getStatus() ?? 0) : 0;

function refusalOf(error: Error): Refusal {
  const status = statusOf(error);
  if (status === 0) return new Refusal(0, 'offline', 'The server can not be reached.');
  if (status === 401) keyWanted.value = true;
  return refusalFrom(status, (error as DetailedError).originalResponse?.getBody() ?? '');
}
