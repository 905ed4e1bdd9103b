/** What all methods share: who calls, how often, what becomes of an error, and that nothing outlives the server. */
import {
  status,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type ServerReadableStream,
  type ServerWritableStream,
  type StatusObject,
} from '@grpc/grpc-js';

import { mustAllow, type Caller, type Scope } from '../../api/caller.js';
import { asProblem } from '../../api/failures.js';
import { ApiProblem } from '../../api/problems.js';
import type { Logger } from '../../logging/logger.js';
import { metrics } from '../../metrics/index.js';
import { statusOf } from './status.js';

export interface DoorPorts {
  /** @param header `Bearer <key>` @throws ApiProblem `unauthorized` */
  readonly authenticate: (header: string | undefined) => Promise<Caller>;
  /** Counts a call. @param address of the peer @throws ApiProblem `too-many-requests` */
  readonly admit: (caller: Caller, address: string) => void;
  readonly logger: Logger;
}

export interface Call {
  readonly caller: Caller;
  /** Aborted when the client has gone, when its deadline has passed, and when the server stops. */
  readonly signal: AbortSignal;
}

/** What grpc-js calls a call, whatever its kind. */
interface Surface {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  getPeer(): string;
  getPath(): string;
  once(event: 'cancelled', listener: () => void): unknown;
}

interface Running {
  readonly abort: AbortController;
  readonly streams: boolean;
  readonly ended: Promise<void>;
}

export class Door {
  readonly #running = new Set<Running>();
  #closing = false;

  constructor(private readonly ports: DoorPorts) {}

  unary<I, O>(scope: Scope, answer: (request: I, call: Call) => Promise<O>): handleUnaryCall<I, O> {
    return (surface, respond) =>
      this.#enter(surface, {
        scope,
        streams: false,
        run: async (call) => respond(null, await answer(surface.request, call)),
        fail: (error) => respond(error),
      });
  }

  clientStream<I, O>(
    scope: Scope,
    answer: (requests: AsyncIterable<I>, call: Call) => Promise<O>,
  ): handleClientStreamingCall<I, O> {
    return (surface: ServerReadableStream<I, O>, respond) =>
      this.#enter(surface, {
        scope,
        streams: false,
        run: async (call) => {
          // Whoever waits for the next message hears of it.
          const { signal } = call;
          signal.addEventListener('abort', () => surface.destroy(signal.reason as Error), { once: true });
          respond(null, await answer(surface as AsyncIterable<I>, call));
        },
        fail: (error) => respond(error),
      });
  }

  serverStream<I, O>(
    scope: Scope,
    answer: (request: I, send: (message: O) => Promise<void>, call: Call) => Promise<void>,
  ): handleServerStreamingCall<I, O> {
    return (surface: ServerWritableStream<I, O>) =>
      this.#enter(surface, {
        scope,
        streams: true,
        run: async (call) => {
          await answer(surface.request, (message) => write(surface, message, call.signal), call);
          surface.end();
        },
        // How grpc-js is told the status of a stream.
        fail: (error) => void surface.emit('error', error),
      });
  }

  /** New calls are refused, streams end, and what else runs may go on for so long. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const { streams, abort } of this.#running) if (streams) abort.abort(stopping());
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
    await Promise.race([this.#allEnded(), timeout]);
    for (const { abort } of this.#running) abort.abort(stopping());
    await this.#allEnded();
  }

  async #allEnded(): Promise<void> {
    await Promise.all([...this.#running].map(({ ended }) => ended));
  }

  #enter(surface: Surface, { scope, streams, run, fail }: Work): void {
    const abort = new AbortController();
    const started = performance.now();
    let code = status.OK;
    // Emitted for every call: when its client goes, else when the last of the answer is written.
    const over = new Promise<void>((resolve) => surface.once('cancelled', () => resolve()));
    void over.then(() => abort.abort(new ApiProblem('invalid-request', { detail: 'The client has gone.' })));
    const ended = this.#admit(surface, scope)
      .then((caller) => run({ caller, signal: abort.signal }))
      .catch((error: unknown) => {
        const problem = asProblem(error);
        if (problem.problem === 'internal')
          this.ports.logger.error('call failed', { method: surface.getPath(), error });
        const told = statusOf(problem);
        code = told.code;
        fail(told);
      })
      .then(() => over)
      .then(() => {
        const method = surface.getPath().split('/').at(-1) as CallLabels['method'];
        const labels = { method, code: status[code] as CallLabels['code'] };
        metrics.grpcCalls.observe(labels, (performance.now() - started) / 1000);
      })
      .finally(() => this.#running.delete(running));
    const running: Running = { abort, streams, ended };
    this.#running.add(running);
  }

  async #admit(surface: Surface, scope: Scope): Promise<Caller> {
    if (this.#closing) throw stopping();
    const caller = await this.ports.authenticate(surface.metadata.get('authorization')[0]?.toString());
    this.ports.admit(caller, addressOf(surface.getPeer()));
    mustAllow(caller, scope);
    return caller;
  }
}

type CallLabels = Parameters<typeof metrics.grpcCalls.observe>[0];

interface Work {
  readonly scope: Scope;
  readonly streams: boolean;
  readonly run: (call: Call) => Promise<void>;
  readonly fail: (status: StatusObject) => void;
}

const stopping = (): ApiProblem => new ApiProblem('unavailable', { detail: 'The server is stopping.', retryAfter: 1 });

/** `127.0.0.1:43210` and `[::1]:43210` without the port. */
const addressOf = (peer: string): string => peer.replace(/:\d+$/, '');

/** Resolves when the message is on its way: as fast as the client reads. */
function write<O>(stream: ServerWritableStream<unknown, O>, message: O, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(signal.reason as Error);
    if (signal.aborted) return gone();
    signal.addEventListener('abort', gone, { once: true });
    stream.write(message, (error?: Error | null) => {
      signal.removeEventListener('abort', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}
