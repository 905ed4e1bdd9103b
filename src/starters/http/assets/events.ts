/** `GET /v1/assets/{id}/events`: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '../../../api/context.js';
import { findAsset } from '../../../api/assets/find.js';
import { AssetId } from '../../../api/assets/schemas.js';
import { watchAsset, type Sight } from '../../../api/assets/watch-asset.js';
import { ApiProblem } from '../../../api/problems.js';
import { FINAL_STATES } from '../../../contracts/assets.js';
import type { Server } from '../instance.js';

/** A key may be revoked meanwhile: whoever still has a good one comes again. Milliseconds. */
const LONGEST = 15 * 60_000;
/** Milliseconds, for the browser's own reconnecting. */
const RETRY = 1_000;

export function registerEvents(server: Server, ctx: ApiContext): void {
  const streams = new Set<AbortController>();
  server.addHook('preClose', (done) => {
    for (const stream of streams) stream.abort();
    done();
  });

  const schema = {
    tags: ['assets'],
    summary: 'Follow an asset',
    description:
      'Server-sent events. `asset`: the whole asset, first and whenever it changed. `progress`: `{state, progress}`, each second. `end`: its last state; the stream is over. 204 when that was seen already (`Last-Event-ID`).',
    params: Type.Object({ id: AssetId }),
    response: {
      200: { description: 'Until it has ended.', content: { 'text/event-stream': { schema: Type.Any() } } },
      204: { description: 'It has ended, and the caller knows.', type: 'null' },
    },
  };
  server.get('/v1/assets/:id/events', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const { caller, headers } = request;
    const { id } = request.params;
    const row = await findAsset(ctx, caller, id);
    // An EventSource takes it for the end; anything else it would ask again.
    if (FINAL_STATES.includes(row.state) && headers['last-event-id'] === String(row.revision))
      return reply.code(204).send();
    if (streams.size >= ctx.config.http.maxHeld) throw new ApiProblem('overloaded', { retryAfter: 2 });
    const stream = open(request, reply);
    return reply
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .type('text/event-stream')
      .send(Readable.from(texts(watchAsset(ctx, caller, id, stream.signal))));
  });

  function open(request: FastifyRequest, reply: FastifyReply): AbortController {
    const stream = new AbortController();
    streams.add(stream);
    const longest = setTimeout(() => stream.abort(), LONGEST);
    reply.raw.once('close', () => {
      clearTimeout(longest);
      streams.delete(stream);
      stream.abort();
    });
    return stream;
  }
}

async function* texts(sights: AsyncIterable<Sight>): AsyncGenerator<string, void, undefined> {
  yield `retry: ${RETRY}\n\n`;
  let seen: number | undefined;
  for await (const { asset, revision, isLast } of sights) {
    const { state, progress } = asset;
    if (revision !== seen) yield event('asset', asset, revision);
    else yield event('progress', { state, progress });
    seen = revision;
    if (isLast) yield event('end', { state });
  }
}

/** JSON has no line breaks of its own. */
const event = (name: string, data: unknown, id?: number): string =>
  `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
