/** Encoders and publishers of the exercise. A policy decides; this does what it says, and keeps the books. */
import type { Item } from './items.js';

/** Of a workflow, or of a test. Seconds. */
export interface Clock {
  now(): number;
  sleep(seconds: number): Promise<void>;
}

/** An item on its way. Instants in seconds after the first arrival. */
export interface Ticket extends Item {
  /** Encoding began. */
  startedAt?: number;
  encodedAt?: number;
  publishedAt?: number;
}

/** Publishes one item, and is gone. */
export interface Publisher {
  isReady: boolean;
}

export interface Policy {
  /** Before the first item. */
  open?(): void;
  /** Whether the first of those that wait may be encoded now; an encoder is free. Absent: always. */
  mayStart?(ticket: Ticket): boolean;
  started?(ticket: Ticket): void;
  encoded(ticket: Ticket): void;
  ready(publisher: Publisher): void;
}

export interface Settings {
  readonly encoders: number;
  /** What a publisher's start takes is drawn from 0 to this. */
  readonly startSeconds: number;
}

/** What became of a run. */
export interface Books {
  readonly tickets: readonly Required<Ticket>[];
  /** Encoders at work, on average, of one; until the last one ended. */
  readonly encoderUse: number;
  /** Publishers that were starting or waited for an item, until the last item was published. */
  readonly publishers: { readonly mean: number; readonly most: number };
}

/** When a ticket is late. */
export const dueAt = (ticket: Ticket): number => ticket.startedAt! + ticket.publicationTimeout;

export class Chain {
  private readonly waiting: Ticket[] = [];
  private readonly all: Ticket[] = [];
  private readonly standing = new Set<Publisher>();
  private free: number;
  private left = 0;
  private mostStanding = 0;
  /** Of places, seconds. */
  private stood = 0;
  private countedAt = 0;
  private policy!: Policy;
  private end!: { readonly resolve: () => void; readonly reject: (error: unknown) => void };

  constructor(
    readonly clock: Clock,
    readonly settings: Settings,
    private readonly random: () => number,
  ) {
    this.free = settings.encoders;
  }

  /** @throws what a policy throws */
  async run(items: readonly Item[], policy: Policy): Promise<Books> {
    this.policy = policy;
    this.left = items.length;
    const ended = new Promise<void>((resolve, reject) => (this.end = { resolve, reject }));
    policy.open?.();
    this.spawn(async () => {
      for (const item of items) {
        await this.until(item.arrival);
        const ticket = { ...item };
        this.all.push(ticket);
        this.waiting.push(ticket);
        this.startWaiting();
      }
    });
    await ended;
    return this.books();
  }

  startPublisher(): Publisher {
    const publisher = this.stand(false);
    this.after(this.random() * this.settings.startSeconds, () => {
      publisher.isReady = true;
      this.policy.ready(publisher);
    });
    return publisher;
  }

  /** One that was started before the first item came. */
  warmPublisher(): Publisher {
    return this.stand(true);
  }

  stopPublisher(publisher: Publisher): void {
    this.count(() => this.standing.delete(publisher));
  }

  publish(ticket: Ticket, publisher: Publisher): void {
    if (!publisher.isReady || ticket.encodedAt === undefined) throw new Error('not ready to be published');
    this.count(() => {
      if (!this.standing.delete(publisher)) throw new Error('a publisher publishes one item');
    });
    ticket.publishedAt = this.clock.now();
    this.left -= 1;
    if (this.left === 0) this.end.resolve();
  }

  /** Has the policy do something later; what waits for it may then go on. */
  after(seconds: number, act: () => void): void {
    this.spawn(async () => {
      await this.clock.sleep(seconds);
      act();
      this.startWaiting();
    });
  }

  private stand(isReady: boolean): Publisher {
    const publisher = { isReady };
    this.count(() => this.standing.add(publisher));
    return publisher;
  }

  private startWaiting(): void {
    while (this.free > 0 && this.waiting[0] && (this.policy.mayStart?.(this.waiting[0]) ?? true)) {
      const ticket = this.waiting.shift()!;
      this.free -= 1;
      this.spawn(() => this.encode(ticket));
    }
  }

  private async encode(ticket: Ticket): Promise<void> {
    ticket.startedAt = this.clock.now();
    this.policy.started?.(ticket);
    await this.clock.sleep(ticket.encodingTime);
    ticket.encodedAt = this.clock.now();
    this.free += 1;
    this.policy.encoded(ticket);
    this.startWaiting();
  }

  private async until(instant: number): Promise<void> {
    const seconds = instant - this.clock.now();
    if (seconds > 0) await this.clock.sleep(seconds);
  }

  private spawn(work: () => Promise<void>): void {
    work().catch(this.end.reject);
  }

  private count(change: () => void): void {
    const now = this.clock.now();
    this.stood += this.standing.size * (now - this.countedAt);
    this.countedAt = now;
    change();
    this.mostStanding = Math.max(this.mostStanding, this.standing.size);
  }

  private books(): Books {
    const tickets = this.all as Required<Ticket>[];
    const worked = tickets.reduce((sum, ticket) => sum + ticket.encodedAt - ticket.startedAt, 0);
    const encodedBy = Math.max(...tickets.map(({ encodedAt }) => encodedAt));
    const publishedBy = Math.max(...tickets.map(({ publishedAt }) => publishedAt));
    return {
      tickets,
      encoderUse: worked / (this.settings.encoders * encodedBy),
      publishers: { mean: this.stood / publishedBy, most: this.mostStanding },
    };
  }
}
