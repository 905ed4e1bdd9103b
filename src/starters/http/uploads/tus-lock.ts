/** Locks of tus uploads, through PostgreSQL: any number of instances serve the same uploads. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Lock, Locker, RequestRelease } from '@tus/server';

import { ApiProblem } from '../../../api/problems.js';
import { releaseLock, renewLock, takeLock } from '../../../catalogue/upload-locks.js';
import type { Database } from '../../../catalogue/database.js';
import type { Logger } from '../../../logging/logger.js';

/** So late the lock of an instance that died is free. Seconds. */
const LEASE = 10;
/** So often it is renewed, and its holder hears that somebody else wants it. Milliseconds. */
const RENEW = 1_000;
/** So long somebody waits for a holder to let go. Milliseconds. */
const PATIENCE = 8_000;
const RETRY = 200;

export function createTusLocker(db: Database, logger: Logger): Locker {
  return { newLock: (id) => new TusLock(db, logger, id) };
}

class TusLock implements Lock {
  readonly #holder = randomUUID();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly db: Database,
    private readonly logger: Logger,
    private readonly id: string,
  ) {}

  async lock(signal: AbortSignal, cancel: RequestRelease): Promise<void> {
    const patience = Date.now() + PATIENCE;
    while (!(await takeLock(this.db, this.id, this.#holder, LEASE))) {
      if (signal.aborted || Date.now() > patience) throw new ApiProblem('upload-locked', { retryAfter: 1 });
      await sleep(RETRY);
    }
    this.#timer = setInterval(() => void this.#renew(cancel), RENEW);
  }

  async unlock(): Promise<void> {
    clearInterval(this.#timer);
    await releaseLock(this.db, this.id, this.#holder).catch((error: unknown) => {
      this.logger.warn('a lock was not released: it runs out', { uploadId: this.id, error });
    });
  }

  async #renew(cancel: RequestRelease): Promise<void> {
    try {
      // What is written after a lease ran out is refused by the row itself.
      if ((await renewLock(this.db, this.id, this.#holder, LEASE)) !== 'held') await cancel();
    } catch (error) {
      this.logger.debug('a lock was not renewed', { uploadId: this.id, error });
    }
  }
}
