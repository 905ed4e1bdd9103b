/** Short messages: shown for some seconds, and read by screen readers. */
import { Cell } from './cell.js';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
}

const SHOWN_MS = 6_000;

export const toasts = new Cell<readonly Toast[]>([]);
/** For screen readers only. */
export const spoken = new Cell('');

let count = 0;

/** @returns what takes it away before its time */
export function say(text: string, action?: Toast['action'], ms = SHOWN_MS): () => void {
  const id = (count += 1);
  const close = (): void => {
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
  };
  toasts.value = [...toasts.value, { id, text, action }];
  setTimeout(close, ms);
  return close;
}

export function announce(text: string): void {
  spoken.value = text;
}

/** For a click's promise that nobody waits for. */
export function orSay(work: Promise<unknown>): void {
  work.catch((error: unknown) => say(error instanceof Error ? error.message : String(error)));
}
