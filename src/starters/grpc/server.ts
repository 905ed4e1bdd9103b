/** The gRPC server: videos, reflection, health. */
import { setTimeout as sleep } from 'node:timers/promises';

import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';

import type { ApiContext } from '../../api/context.js';
import { authenticate } from '../../api/keys.js';
import { Door } from './calls.js';
import { reflected, videoService } from './definition.js';
import { watchHealth } from './health.js';
import { rateLimit } from './rate-limit.js';
import { videoMethods } from './videos.js';

/** Of one message. An upload holds up to 16 of them before its client has to wait. Bytes. */
const MAX_MESSAGE = 1024 * 1024 + 64 * 1024;
/** A client that is gone without a word is noticed after so long, and once more so long. Milliseconds. */
const KEEPALIVE_MS = 20_000;
/** After that, uploads under way are cut off too. Milliseconds. */
const GRACE_MS = 8_000;
/** What was answered last has left by then. Milliseconds. */
const LAST_WORDS_MS = 500;

export interface GrpcServer {
  readonly port: number;
  /** Lets what runs come to its end for some seconds. */
  close(): Promise<void>;
}

export async function startGrpcServer(
  ctx: ApiContext,
  { host, port, graceMs = GRACE_MS }: { host: string; port: number; graceMs?: number },
): Promise<GrpcServer> {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
  });
  const door = new Door({
    authenticate: (header) => authenticate(ctx, header),
    admit: rateLimit(ctx.config.http.requestsPerMinute),
    logger: ctx.logger,
  });
  server.addService(videoService, videoMethods(ctx, door));
  new ReflectionService(reflected()).addToServer(server);
  const health = await watchHealth(ctx);
  health.service.addToServer(server);
  // Encryption is the matter of what stands in front, as with HTTP.
  const bound = await new Promise<number>((resolve, reject) => {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, at) => (error ? reject(error) : resolve(at)));
  });
  return {
    port: bound,
    async close() {
      health.stop();
      const shut = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await door.close(graceMs);
      // Connections close when their last call has ended, but whoever watches our health never hangs up.
      await Promise.race([shut, sleep(LAST_WORDS_MS)]);
      server.forceShutdown();
      await shut;
    },
  };
}
