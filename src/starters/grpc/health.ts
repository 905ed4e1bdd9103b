/**
 * The health service of gRPC. The empty name: the process answers. The name of our service: it reaches what it needs;
 * a Temporal that is away stops nobody from uploading and looking.
 */
import { HealthImplementation } from 'grpc-health-check';

import type { ApiContext } from '../../api/context.js';
import { MediaError } from '../../contracts/errors.js';
import { SERVICE } from './definition.js';

const EVERY_MS = 5_000;
/** No asset id: ids are hexadecimal. */
const NOBODY = 'grpc-health';

export interface Health {
  readonly service: HealthImplementation;
  /** Tells everybody that nothing is served any more. */
  stop(): void;
}

/** Looks once before it resolves, then again and again. */
export async function watchHealth(ctx: Pick<ApiContext, 'catalogue' | 'store' | 'config'>): Promise<Health> {
  const service = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'NOT_SERVING' });
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const look = async (): Promise<void> => {
    const reached = await reaches(ctx);
    if (stopped) return;
    service.setStatus(SERVICE, reached ? 'SERVING' : 'NOT_SERVING');
    timer = setTimeout(() => void look(), EVERY_MS);
  };
  await look();
  return {
    service,
    stop() {
      stopped = true;
      clearTimeout(timer);
      for (const name of ['', SERVICE]) service.setStatus(name, 'NOT_SERVING');
    },
  };
}

async function reaches({
  catalogue,
  store,
  config,
}: Pick<ApiContext, 'catalogue' | 'store' | 'config'>): Promise<boolean> {
  const outcomes = await Promise.allSettled([
    catalogue.find(NOBODY),
    store.stat(config.storage.mediaBucket, NOBODY).catch((error: unknown) => {
      if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
    }),
  ]);
  return outcomes.every(({ status }) => status === 'fulfilled');
}
