/** Notices at once what an encoder finishes: a segment has its final name only when it is whole. */
import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

export interface Arrivals {
  /** Resolves when something has been finished since it was last asked, or after so many milliseconds. */
  next(ms: number): Promise<void>;
  /** Something has been finished since. */
  readonly pending: boolean;
  close(): void;
}

/**
 * @param folders that exist
 * @param ending of the names that count
 * @param onArrival called at once, once for each file
 */
export function watchArrivals(folders: readonly string[], ending: string, onArrival: () => void): Arrivals {
  const seen = new Set<string>();
  let pending = false;
  let wake = (): void => undefined;
  const arrived = (path: string): void => {
    // Taking the file away afterwards is reported too.
    if (!path.endsWith(ending) || seen.has(path)) return;
    seen.add(path);
    pending = true;
    onArrival();
    wake();
  };
  const watchers = folders.flatMap((folder) => watchOne(folder, (name) => arrived(join(folder, name))));
  return {
    get pending() {
      return pending;
    },
    next: (ms) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          wake = () => undefined;
          pending = false;
          resolve();
        };
        const timer = setTimeout(done, pending ? 0 : ms);
        wake = done;
      }),
    close: () => {
      for (const watcher of watchers) watcher.close();
      wake();
    },
  };
}

/** Where the system has no watch to give (its number is limited), looking from time to time has to do. */
function watchOne(folder: string, onName: (name: string) => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name !== null) onName(name);
    });
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
}
