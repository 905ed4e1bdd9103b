/** `/healthz`: the process answers. `/readyz`: it reaches what playing needs; a Temporal that is away stops nobody from watching. */
import { Type } from 'typebox';
import type { ApiContext } from '../../api/context.js';
import { MediaError } from '../../contracts/errors.js';
import type { Server } from './instance.js';

/** No asset id: ids are hexadecimal. */
const NOBODY = 'readyz';

const Ok = Type.Object({ status: Type.Literal('ok') });
const options = (summary: string) => ({
  config: { access: 'open' as const, uncounted: true },
  schema: { tags: ['health'], summary, security: [], response: { 200: Ok } },
});

export function registerHealth(server: Server, { catalogue, store, config }: ApiContext): void {
  server.get('/healthz', options('The process answers.'), () => ({ status: 'ok' as const }));
  server.get('/readyz', options('It reaches the catalogue and the store.'), async () => {
    await Promise.all([
      catalogue.find(NOBODY),
      store.stat(config.storage.mediaBucket, NOBODY).catch((error: unknown) => {
        if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
      }),
    ]);
    return { status: 'ok' as const };
  });
}
