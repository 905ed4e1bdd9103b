/** 405 with `Allow` for methods that a path does not have. */
import { ApiProblem } from '../../api/problems.js';
import type { Server } from './instance.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY'] as const;

/** Call it before the routes are registered. @returns call it after them */
export function refuseOtherMethods(server: Server): () => void {
  const taken = new Map<string, Set<string>>();
  server.addHook('onRoute', ({ url, method }) => {
    const methods = taken.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    taken.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...taken]) {
      const others = METHODS.filter((method) => !methods.has(method));
      // That of the preflight requests, and of documentation pages.
      if (
        others.length === 0 ||
        !url.startsWith('/') ||
        (url.includes('*') && !url.startsWith('/v1/')) ||
        url.startsWith('/docs')
      )
        continue;
      const allow = [...new Set([...methods, 'OPTIONS'])].join(', ');
      server.route({
        method: others,
        url,
        schema: { hide: true },
        config: { access: 'open' },
        exposeHeadRoute: false,
        // Before anybody looks at a body.
        onRequest: async (_request, reply) => {
          void reply.header('allow', allow);
          throw new ApiProblem('method-not-allowed', { detail: `${allow} are possible.` });
        },
        handler: () => undefined,
      });
    }
  };
}
