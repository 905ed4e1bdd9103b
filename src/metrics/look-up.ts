/** What is only known by asking somebody: looked up when `/metrics` is read, and left out where it can not be had. */
import type { DEFINITIONS } from './definitions.js';
import { metrics } from './metrics.js';

export type Source = (typeof DEFINITIONS)['scrapeErrors']['labels']['source'][number];

/** Prometheus gives up after ten seconds by default; what we count ourselves must be told by then. Milliseconds. */
const PATIENCE = 3_000;

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

export async function lookUpAll(): Promise<void> {
  await Promise.all([...lookUps].map(([source, set]) => lookUp(source, set)));
}

/** @returns undefined when it fails or takes too long */
export async function lookUp<T>(source: Source, ask: () => Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), PATIENCE);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch {
    // The counter says so; whoever was asked has a log of its own.
    metrics.scrapeErrors.inc({ source });
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
