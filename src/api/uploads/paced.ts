/** Whoever sends ever so slowly holds a connection, memory and a place for nothing. */
import { ApiProblem } from '../problems.js';

/** Bytes per second. */
const SLOWEST = 1024;

/**
 * The same bytes, as long as they come at 1 KiB per second. Only waiting for the sender counts, not what is done with
 * the bytes meanwhile.
 *
 * @param seconds over which the speed is measured; 0: any speed will do
 * @throws ApiProblem `request-timeout`
 */
export async function* paced(source: AsyncIterable<Uint8Array>, seconds: number): AsyncGenerator<Uint8Array> {
  if (seconds === 0) {
    yield* source;
    return;
  }
  const window = seconds * 1000;
  const pieces = source[Symbol.asyncIterator]();
  let waited = 0;
  let bytes = 0;
  const isSlow = (): boolean => {
    if (waited < window) return false;
    if (bytes < SLOWEST * seconds) return true;
    waited = bytes = 0;
    return false;
  };
  try {
    for (;;) {
      const coming = pieces.next();
      let next: IteratorResult<Uint8Array> | 'late';
      do {
        const asked = performance.now();
        next = await within(coming, window - waited);
        waited += performance.now() - asked;
        if (isSlow()) throw tooSlow(seconds);
      } while (next === 'late');
      if (next.done) return;
      bytes += next.value.length;
      yield next.value;
    }
  } finally {
    // A source that hangs in `next` would not hear of it: whoever owns it destroys it.
    void pieces.return?.().catch(() => undefined);
  }
}

/** `late` when it takes longer. It goes on being waited for. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), Math.max(ms, 1));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
}

const tooSlow = (seconds: number): ApiProblem =>
  new ApiProblem('request-timeout', { detail: `Less than ${SLOWEST} bytes a second came for ${seconds} seconds.` });
