/** The publishers of one target in this process: the pure pool, given a clock and something to start. */
import { MediaError } from '../../contracts/errors.js';
import { PublisherPool, type PoolAction, type PoolState } from '../../contracts/publisher-pool.js';
import type { Need } from '../../contracts/reservations.js';
import type { Logger } from '../../logging/logger.js';
import { metrics } from '../../metrics/index.js';
import { Refused, type Publisher, type Target } from './target.js';

/** While somebody waits for a promise, one becomes possible by the mere passing of time. Milliseconds. */
const LOOK_AGAIN = 200;

/** It may go to another process: then it is expected here no longer. Milliseconds. */
const EXPECTED_MS = 30_000;

export interface Taken {
  readonly publisher: Publisher;
  readonly waitedSeconds: number;
  /** To be called once. @param alive whether it could serve again */
  readonly end: (alive: boolean) => void;
}

/** Who wants to be promised a publisher, from the moment in which it is promised. */
export interface Wish {
  readonly id: string;
  /** Seconds until it is needed, and until it must have served. */
  readonly fromSeconds: number;
  readonly bySeconds: number;
}

interface Waiting {
  readonly by: number;
  readonly since: number;
  readonly resolve: (taken: Taken) => void;
  readonly reject: (error: unknown) => void;
}

interface Wishing {
  readonly wish: Wish;
  readonly resolve: (promised: boolean) => void;
}

export class Publishers {
  private readonly pool: PublisherPool;
  private readonly ready = new Map<number, Publisher>();
  private readonly waiting = new Map<string, Waiting>();
  private readonly wishing = new Map<string, Wishing>();
  private readonly starts = new Set<Promise<void>>();
  private readonly stop = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly target: Target,
    private readonly logger: Logger,
  ) {
    this.pool = new PublisherPool(target.rules);
  }

  get state(): PoolState {
    return this.pool.state(Date.now());
  }

  /** Makes those ready that always are to be. */
  warm(): void {
    this.steer();
  }

  /** Somebody will come, as far as one knows. */
  expect(id: string, fromSeconds: number): void {
    const from = Date.now() + fromSeconds * 1000;
    this.pool.expect({ id, from, by: from + EXPECTED_MS });
    this.steer();
  }

  /**
   * The next publisher, by least slack.
   *
   * @param by milliseconds of the clock; `Infinity`: no limit
   * @throws the signal's reason; MediaError TARGET_UNAVAILABLE when none can be started
   */
  take(id: string, by: number, signal: AbortSignal): Promise<Taken> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        if (this.waiting.get(id) !== waiting) return;
        this.waiting.delete(id);
        this.pool.release(id);
        reject(signal.reason as Error);
        this.steer();
      };
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal.removeEventListener('abort', leave);
          settle(value);
        };
      const waiting: Waiting = { by, since: Date.now(), resolve: settled(resolve), reject: settled(reject) };
      // An attempt before this one, which nobody waits for any more.
      this.waiting.get(id)?.reject(new MediaError('TARGET_UNAVAILABLE', 'Another attempt has taken over.'));
      this.waiting.set(id, waiting);
      signal.addEventListener('abort', leave, { once: true });
      this.pool.ask(id, by, Date.now());
      this.steer();
    });
  }

  /**
   * Waits until a publisher is sure to be ready in time, and keeps it for this id; the least slack first.
   *
   * @returns false at once where nobody could be in time
   */
  promise(wish: Wish, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason as Error);
        // What another attempt asked for since is that one's.
        if (this.wishing.get(wish.id) !== wishing) return;
        this.wishing.delete(wish.id);
        this.pool.release(wish.id);
      };
      signal.addEventListener('abort', leave, { once: true });
      const settle = (promised: boolean): void => {
        signal.removeEventListener('abort', leave);
        resolve(promised);
      };
      const wishing: Wishing = { wish, resolve: settle };
      this.wishing.set(wish.id, wishing);
      this.steer();
    });
  }

  release(id: string): void {
    this.pool.release(id);
    this.steer();
  }

  /** Ends those that are ready and waits for those that are starting. To be called when nobody is served any more. */
  async close(): Promise<void> {
    this.stop.abort();
    this.pool.drain();
    for (const [id, { reject }] of this.waiting) {
      this.pool.release(id);
      reject(new MediaError('TARGET_UNAVAILABLE'));
    }
    this.waiting.clear();
    this.steer();
    clearTimeout(this.timer);
    await Promise.all(this.starts);
  }

  private steer(): void {
    clearTimeout(this.timer);
    const now = Date.now();
    this.grant(now);
    for (const action of this.pool.steer(now)) this.act(action, now);
    const wakeAt = this.wishing.size > 0 ? now + LOOK_AGAIN : this.pool.wakeAt(now);
    if (wakeAt === undefined || this.stop.signal.aborted) return;
    this.timer = setTimeout(() => this.steer(), Math.min(wakeAt - now, 60_000));
    // What is kept warm does not keep a process alive.
    this.timer.unref();
  }

  private grant(now: number): void {
    const bySlack = [...this.wishing.values()].sort((a, b) => slackOf(a.wish) - slackOf(b.wish));
    for (const { wish, resolve } of bySlack) {
      const need: Need = { id: wish.id, from: now + wish.fromSeconds * 1000, by: now + wish.bySeconds * 1000 };
      const isHopeless = slackOf(wish) < 0;
      if (isHopeless) this.pool.expect(need);
      else if (!this.pool.reserve(need, now)) return;
      this.wishing.delete(wish.id);
      resolve(!isHopeless);
    }
  }

  private act(action: PoolAction, now: number): void {
    if (action.do === 'start') this.begin(action.publisher, now);
    else if (action.do === 'stop') this.ready.delete(action.publisher);
    else this.assign(action.publisher, action.id, now);
  }

  private begin(id: number, since: number): void {
    const started = this.target
      .start(this.stop.signal)
      .then((publisher) => {
        this.ready.set(id, publisher);
        this.pool.started(id, Date.now());
        metrics.publisherStart.observe({}, (Date.now() - since) / 1000);
      })
      .catch((error: unknown) => this.lose(id, error))
      .finally(() => {
        this.starts.delete(started);
        this.steer();
      });
    this.starts.add(started);
  }

  private lose(id: number, error: unknown): void {
    this.pool.lost(id, Date.now());
    if (this.stop.signal.aborted) return;
    metrics.publisherDeaths.inc({});
    this.logger.warn('a publisher could not be started', { kind: this.target.kind, error });
    // Whoever would have been served by it says so, and comes back.
    const [first] = [...this.waiting].sort(([, a], [, b]) => a.by - b.by);
    if (!first) return;
    const [waitingId, { reject }] = first;
    this.waiting.delete(waitingId);
    this.pool.release(waitingId);
    const reason =
      error instanceof Refused ? `No publisher could be started. ${error.message}` : 'No publisher could be started.';
    reject(new MediaError('TARGET_UNAVAILABLE', reason, { cause: error }));
  }

  private assign(id: number, to: string, now: number): void {
    const waiting = this.waiting.get(to);
    const publisher = this.ready.get(id);
    this.waiting.delete(to);
    if (!waiting || !publisher) return this.pool.done(id, publisher !== undefined, now);
    const waitedSeconds = (now - waiting.since) / 1000;
    metrics.publisherWait.observe({}, waitedSeconds);
    waiting.resolve({
      publisher,
      waitedSeconds,
      end: (alive) => {
        if (!alive || !this.target.rules.reusable) this.ready.delete(id);
        if (!alive) metrics.publisherDeaths.inc({});
        this.pool.done(id, alive, Date.now());
        this.steer();
      },
    });
  }
}

const slackOf = ({ fromSeconds, bySeconds }: Wish): number => bySeconds - fromSeconds;
