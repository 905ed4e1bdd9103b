/**
 * `GET /page/events`: all that happens among the caller's assets, in one stream. A browser has six connections to a
 * server; a library shows hundreds of assets.
 */
import { Readable } from 'node:stream';
import type { ApiContext } from '../../../api/context.js';
import { ApiProblem } from '../../../api/problems.js';
import type { Server } from '../instance.js';
import { Feeds } from './feed.js';

/** A key may be revoked meanwhile: whoever still has a good one comes again. Milliseconds. */
const LONGEST = 15 * 60_000;
/** Proxies close what is silent. Milliseconds. */
const BEAT = 15_000;
/** Who is so far behind looks up everything anew. Bytes. */
const TOO_FAR_BEHIND = 4 * 1024 ** 2;

export function registerPageEvents(server: Server, ctx: ApiContext): void {
  const feeds = new Feeds(ctx);
  const streams = new Set<Readable>();
  server.addHook('preClose', (done) => {
    for (const stream of streams) stream.push(null);
    done();
  });
  server.get('/page/events', { schema: { hide: true }, exposeHeadRoute: false }, (request, reply) => {
    if (streams.size >= ctx.config.http.maxHeld) throw new ApiProblem('overloaded', { retryAfter: 2 });
    const stream = new Readable({ read: () => undefined });
    const end = (): void => void (stream.readableEnded || stream.push(null));
    const write = (text: string): void => {
      if (stream.readableLength > TOO_FAR_BEHIND) end();
      else stream.push(text);
    };
    const stop = feeds.listen(request.caller.tenant, ({ event, data }) =>
      write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    );
    const beat = setInterval(() => write(':\n\n'), BEAT);
    const longest = setTimeout(end, LONGEST);
    streams.add(stream);
    const over = (): void => {
      clearInterval(beat);
      clearTimeout(longest);
      streams.delete(stream);
      stop();
    };
    stream.once('end', over);
    reply.raw.once('close', over);
    write(':\n\n');
    return reply
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .type('text/event-stream')
      .send(stream);
  });
}
