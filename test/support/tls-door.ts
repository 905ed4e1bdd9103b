/** A door before a plain Temporal, as a cluster of others has one: TLS, client certificates, an API key. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import {
  connect,
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface TlsDoor {
  /** host:port */
  readonly address: string;
  /** Temporal's own environment, for one that may come in. */
  readonly env: Readonly<Record<string, string>>;
  /** Calls that were let through. */
  readonly calls: readonly string[];
  close(): Promise<void>;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function certificates(dir: string): Promise<void> {
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: dir });
  await openssl('req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test', '-days', '2');
  await writeFile(join(dir, 'server.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await writeFile(join(dir, 'client.ext'), 'extendedKeyUsage=clientAuth\n');
  for (const name of ['server', 'client']) {
    await openssl('req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
    await openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...signing);
  }
}

/** @param plain host:port of the Temporal behind it */
export async function openTlsDoor(plain: string, apiKey: string): Promise<TlsDoor> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-tls-'));
  await certificates(dir);
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'server.crt', 'server.key'].map((name) => readFile(join(dir, name))),
  );
  const behind = connect(`http://${plain}`);
  const sessions = new Set<ServerHttp2Session>();
  const calls: string[] = [];
  const server = createSecureServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true });
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    if (headers.authorization !== `Bearer ${apiKey}`) {
      // 16: UNAUTHENTICATED
      return stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16' },
        { endStream: true },
      );
    }
    calls.push(headers[':path'] ?? '');
    const call = behind.request({ ...headers, ':scheme': 'http' });
    let trailers: IncomingHttpHeaders = {};
    call.on('trailers', (got) => (trailers = got));
    call.on('response', (answer, flags) => {
      if (flags & constants.NGHTTP2_FLAG_END_STREAM) return stream.respond(answer, { endStream: true });
      stream.respond(answer, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      call.pipe(stream);
    });
    stream.pipe(call);
    stream.on('aborted', () => call.close(constants.NGHTTP2_CANCEL));
    for (const one of [stream, call]) one.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    calls,
    env: {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_API_KEY: apiKey,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(dir, 'ca.crt'),
      TEMPORAL_TLS_CLIENT_CERT_PATH: join(dir, 'client.crt'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: join(dir, 'client.key'),
    },
    close: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
      behind.destroy();
      await rm(dir, { recursive: true });
    },
  };
}
