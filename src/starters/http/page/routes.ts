/**
 * The web page (`web/`, built into `dist/web`), and what it asks for beside the API. Paths below `/page/` are the page's
 * own: they follow it, and are not part of the API's documents.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '../../../api/context.js';
import { AssetId } from '../../../api/assets/schemas.js';
import type { Server } from '../instance.js';
import { registerChecks } from './checks.js';
import { registerPageEvents } from './events.js';
import { securityHeaders } from './policy.js';
import { createWork } from './work.js';

const AssetParams = Type.Object({ id: AssetId });
const OPEN = { access: 'open', uncounted: true } as const;
/** Names of built files change with their content. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** Beside what runs from `dist`; tests run the sources. */
function builtPage(): string | undefined {
  const places = ['../../../web/', '../../../../dist/web/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return places.find((place) => existsSync(`${place}index.html`));
}

export async function registerPage(server: Server, ctx: ApiContext): Promise<void> {
  const root = builtPage();
  if (root === undefined) ctx.logger.warn('the web page is not built: there is none at /');
  else await registerFiles(server, ctx, root);
  registerPageEvents(server, ctx);
  await registerChecks(server, ctx);
  const work = createWork(ctx);
  server.get('/page/assets/:id/work', { schema: { hide: true, params: AssetParams } }, async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    return work(request.caller, request.params.id);
  });
}

async function registerFiles(server: Server, { config }: ApiContext, root: string): Promise<void> {
  const page = securityHeaders(config, false);
  const embedded = securityHeaders(config, true);
  // Never compressed as it goes out: that was done when it was built.
  await server.register(async (files) => {
    files.addHook('onRoute', (route) => {
      route.config = { ...route.config, ...OPEN };
      route.compress = false;
    });
    await files.register(fastifyStatic, {
      root: `${root}static`,
      prefix: '/static/',
      preCompressed: true,
      cacheControl: false,
      setHeaders: ({ raw }) => {
        raw.setHeader('cache-control', FOR_EVER);
        raw.setHeader('x-content-type-options', 'nosniff');
        // The embedded player is a page of its own in a frame of others.
        raw.setHeader('cross-origin-resource-policy', 'cross-origin');
      },
    });
    const send = (reply: FastifyReply, file: string, headers: Record<string, string>): FastifyReply =>
      reply
        .headers({ ...headers, 'cache-control': 'no-cache' })
        .sendFile(file, root, { cacheControl: false, contentType: true });
    const schema = { hide: true };
    for (const path of ['/', '/assets/:id']) {
      files.get(path, { schema }, (_request, reply) => send(reply, 'index.html', page));
    }
    files.get('/embed/:id', { schema }, (_request, reply) => send(reply, 'embed.html', embedded));
  });
}
