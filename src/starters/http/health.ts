/** `/healthz`: the process answers. `/readyz`: it reaches what playing needs; a Temporal that is away stops nobody from watching. */
import { MediaError } from '../../contracts/errors.js';
import type { HttpPorts, HttpSettings } from './ports.js';
import type { Server } from './instance.js';

/** No asset id: ids are hexadecimal. */
const NOBODY = 'readyz';

export function registerHealth(server: Server, { catalogue, store }: HttpPorts, { mediaBucket }: HttpSettings): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async () => {
    await Promise.all([
      catalogue.find(NOBODY),
      store.stat(mediaBucket, NOBODY).catch((error: unknown) => {
        if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
      }),
    ]);
    return { status: 'ok' };
  });
}
