/** Server-sent events by `fetch`: an `EventSource` can not send a key. */
import { call } from './api.js';

export interface Message {
  readonly event: string;
  readonly data: string;
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;

/**
 * Reads a stream, and begins again when it breaks, until it is told to end.
 *
 * @param onOpen each time it is there: what happened in between has to be looked up
 * @returns what ends it
 */
export function follow(path: string, onMessage: (message: Message) => void, onOpen: () => void = () => {}): () => void {
  const over = new AbortController();
  void (async () => {
    let wait = FIRST_WAIT;
    while (!over.signal.aborted) {
      try {
        const response = await call(path, { signal: over.signal, headers: { accept: 'text/event-stream' } });
        onOpen();
        wait = FIRST_WAIT;
        await readEvents(response.body!, onMessage);
      } catch {
        // It broke, or was ended: the loop knows.
      }
      if (!over.signal.aborted) await pause(wait, over.signal);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  })();
  return () => over.abort();
}

async function readEvents(body: ReadableStream<Uint8Array>, onMessage: (message: Message) => void): Promise<void> {
  let rest = '';
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
    rest = blocks.pop()!;
    for (const block of blocks) {
      const message = parse(block);
      if (message) onMessage(message);
    }
  }
}

function parse(block: string): Message | undefined {
  const fields = block.split(/\r?\n/).map((line) => /^(event|data): ?(.*)$/.exec(line));
  const data = fields.filter((field) => field?.[1] === 'data').map((field) => field![2]!);
  if (data.length === 0) return undefined;
  return { event: fields.find((field) => field?.[1] === 'event')?.[2] ?? 'message', data: data.join('\n') };
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
