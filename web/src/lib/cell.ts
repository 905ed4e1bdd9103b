/** A value that views look at: the page's only kind of state outside of components. */
import { useEffect, useState } from 'preact/hooks';

export class Cell<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  /** @returns what ends it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The value now, and a new drawing whenever it changes. */
export function useCell<T>(cell: Cell<T>): T {
  const [, redraw] = useState(0);
  const drawn = cell.value;
  useEffect(() => {
    const end = cell.subscribe(() => redraw((count) => count + 1));
    // It may have changed between the drawing and now.
    if (!Object.is(drawn, cell.value)) redraw((count) => count + 1);
    return end;
  }, [cell]);
  return drawn;
}
