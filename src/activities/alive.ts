/** The ports of activities, closed to writes of a process that stood still for too long. */
import type { ActivityContext } from './context.js';
import { assertAlive } from './scope.js';

type Outside = Pick<ActivityContext, 'store' | 'catalogue' | 'results'>;

/** Every way in which an activity changes something outside of its own process. */
const WRITES = {
  store: [
    'putBytes',
    'putIfAbsent',
    'putFile',
    'remove',
    'removePrefix',
    'removeVersions',
    'abortUploads',
    'ensureBucket',
  ],
  catalogue: ['transition', 'publish', 'quarantine', 'liftQuarantine'],
  results: ['state', 'delivery'],
} as const satisfies { readonly [Port in keyof Outside]: readonly (keyof Outside[Port])[] };

/**
 * What was already on its way when the process stopped can not be held back: segments are safe from it because the
 * first writer wins, the published generation because the catalogue compares before it sets.
 */
export function onlyWhileAlive<T extends Outside>(context: T): T {
  return {
    ...context,
    store: guarded(context.store, WRITES.store),
    catalogue: guarded(context.catalogue, WRITES.catalogue),
    results: guarded(context.results, WRITES.results),
  };
}

function guarded<Port extends object>(port: Port, writes: readonly (keyof Port)[]): Port {
  const held = new Set<PropertyKey>(writes);
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (held.has(name)) {
          try {
            assertAlive();
          } catch (error) {
            return Promise.reject(error);
          }
        }
        return Reflect.apply(value, target, args);
      };
    },
  });
}
