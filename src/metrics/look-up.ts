/** What is only known by asking somebody: looked up when `/metrics` is read, and left out where it can not be had. */
import type { Logger } from '../logging/logger.js';
import type { DEFINITIONS } from './definitions.js';
import { metrics } from './metrics.js';

export type Source = (typeof DEFINITIONS)['scrapeErrors']['labels']['source'][number];

/** Prometheus gives up after ten seconds by default; what we count ourselves must be told by then. Milliseconds. */
const PATIENCE = 3_000;

/** Those that failed when they were asked last. */
const troubled = new Set<Source>();

const lookUps = new Map<Source, () => Promise<void>>();

/**
 * Calls `set` whenever somebody reads `/metrics`, to set gauges. It must leave nothing from before standing when it
 * fails: an old number looks like a good one.
 *
 * @returns ends it
 */
export function beforeScrape(source: Source, set: () => Promise<void>): () => void {
  lookUps.set(source, set);
  return () => void lookUps.delete(source);
}

export async function lookUpAll(logger: Logger): Promise<void> {
  await Promise.all([...lookUps].map(([source, set]) => lookUp(source, set, logger)));
}

/** @returns undefined when it fails or takes too long */
export async function lookUp<T>(source: Source, ask: () => Promise<T>, logger: Logger): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), PATIENCE);
  });
  try {
    const found = await Promise.race([ask(), late]);
    if (troubled.delete(source)) logger.info('metrics: it can be looked up again', { source });
    return found;
  } catch (error) {
    // The counter goes on; the log says it once.
    if (!troubled.has(source)) logger.warn('metrics: it can not be looked up', { source, error });
    troubled.add(source);
    metrics.scrapeErrors.inc({ source });
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
