/** Ids of spans: random ones, but where the id was told before the span could be made. */
import { randomBytes } from 'node:crypto';

let next: string | undefined;

/** The span that `make` starts has this id: others already name it as theirs to belong to. */
export function nextSpanId<T>(spanId: string, make: () => T): T {
  next = spanId;
  try {
    return make();
  } finally {
    next = undefined;
  }
}

export const ids = {
  generateTraceId: (): string => randomBytes(16).toString('hex'),
  generateSpanId: (): string => next ?? randomBytes(8).toString('hex'),
};
