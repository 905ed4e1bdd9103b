/**
 * A proxy between our processes and the object store: it knows who asked for what, and can be slow, refuse,
 * or break off in the middle. Signatures stay good, for a request goes on as it came, with its own `Host`.
 */
import { createServer, request as ask, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface StoreRequest {
  /** Whose door it came through. */
  readonly by: string;
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  /** How often this method has been asked for this key, this time included. */
  readonly times: number;
  /** What the store answered; undefined when it never did, or was never asked. */
  status?: number;
}

/**
 * `cut`: half of the body (of the answer, where the request has none) goes through, then the connection is reset.
 * `drop`: not even that; the connection stays open. A number: that status, at once. `hold`: the answer is held
 * back until the promise resolves. Nothing: all is well.
 */
export type Fault = 'cut' | 'drop' | number | { readonly hold: Promise<void> } | undefined;

export interface StoreProxy {
  readonly requests: readonly StoreRequest[];
  /** Asked of every request. */
  fault: (request: StoreRequest) => Fault | Promise<Fault>;
  /** Of each connection, both ways. 0: as fast as can be. */
  bytesPerSecond: number;
  /** @returns the URL of an endpoint for `by` alone */
  door(by: string): Promise<string>;
  /** Nobody listens any more, until `open`. */
  shut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

export function createStoreProxy(endpoint: string): StoreProxy {
  const store = new URL(endpoint);
  const doors = new Map<Server, number>();
  const requests: StoreRequest[] = [];

  const serve = (by: string) => (incoming: IncomingMessage, answer: ServerResponse) => {
    const [, bucket = '', ...path] = decodeURIComponent(incoming.url!.split('?')[0]!).split('/');
    const method = incoming.method!;
    const key = path.join('/');
    const times = 1 + requests.filter((one) => one.method === method && one.key === key).length;
    const request: StoreRequest = { by, method, bucket, key, times };
    requests.push(request);
    // Whoever asked may be gone, and a cut is an error to both sides: that is what this is for.
    const { socket } = incoming;
    pass(request, incoming, answer).catch(() => socket.destroy());
  };

  async function pass(request: StoreRequest, incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const fault = await proxy.fault(request);
    if (fault === 'drop') return;
    if (typeof fault === 'number') {
      incoming.resume();
      answer.writeHead(fault, { 'content-length': 0 }).end();
      return;
    }
    const size = Number(incoming.headers['content-length'] ?? 0);
    const { method, url: path, headers } = incoming;
    const onward = ask({ host: store.hostname, port: store.port, method, path, headers, setHost: false });
    answer.once('close', () => answer.writableFinished || onward.destroy());
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      onward.once('response', resolve).once('error', reject),
    );
    answered.catch(() => undefined);
    await pipeline([incoming, ...through(fault === 'cut' && size > 0 ? size : undefined), onward]);
    const response = await answered;
    request.status = response.statusCode!;
    if (typeof fault === 'object') await fault.hold;
    answer.writeHead(response.statusCode!, response.headers);
    const body = Number(response.headers['content-length'] ?? 0);
    await pipeline([response, ...through(fault === 'cut' ? body : undefined), answer]);
  }

  const through = (cutOf: number | undefined): Transform[] => {
    const { bytesPerSecond } = proxy;
    return [
      ...(cutOf === undefined ? [] : [cutter(Math.floor(cutOf / 2))]),
      ...(bytesPerSecond > 0 ? [brake(bytesPerSecond)] : []),
    ];
  };

  const proxy: StoreProxy = {
    requests,
    fault: () => undefined,
    bytesPerSecond: 0,
    async door(by) {
      const server = createServer({ keepAliveTimeout: 60_000 }, serve(by));
      await listen(server, 0);
      const { port } = server.address() as AddressInfo;
      doors.set(server, port);
      return `http://127.0.0.1:${port}`;
    },
    async shut() {
      await Promise.all([...doors.keys()].map(end));
    },
    async open() {
      await Promise.all([...doors].map(([server, port]) => listen(server, port)));
    },
    close: () => proxy.shut(),
  };
  return proxy;
}

/** Lets so many bytes through, then fails. */
function cutter(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      this.push(chunk.subarray(0, left));
      left -= chunk.length;
      // What has been let through is to arrive before the end does.
      if (left < 0) setTimeout(() => done(new Error('cut')), 20);
      else done();
    },
  });
}

function brake(bytesPerSecond: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      void sleep((chunk.length / bytesPerSecond) * 1000).then(() => done(null, chunk));
    },
  });
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve());
  });

const end = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.close(() => resolve());
    server.closeAllConnections();
  });
