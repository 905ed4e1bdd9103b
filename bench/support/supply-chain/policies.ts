/** The four designs of the exercise, and ours. */
import { PublisherPool } from '../../../src/contracts/publisher-pool.js';
import type { Need } from '../../../src/contracts/reservations.js';
import type { Chain, Policy, Publisher, Ticket } from './chain.js';

export const POLICIES = ['after-encode', 'with-encode', 'queue', 'pre-warmed', 'ours'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** Publishers that the pre-warmed design keeps; what ours keeps at most. */
export const PLACES = 10;

/** What our own steps may take from an encode's end to its publication. Seconds. */
const MARGIN = 0.1;

export const policyOf = (name: PolicyName, chain: Chain): Policy => MAKERS[name](chain);

const MAKERS: Readonly<Record<PolicyName, (chain: Chain) => Policy>> = {
  'after-encode': (chain) => {
    const owners = new Map<Publisher, Ticket>();
    return {
      encoded: (ticket) => void owners.set(chain.startPublisher(), ticket),
      ready: (publisher) => chain.publish(owners.get(publisher)!, publisher),
    };
  },
  'with-encode': (chain) => {
    const owners = new Map<Publisher, Ticket>();
    const own = new Map<Ticket, Publisher>();
    const publishWhenBoth = (ticket: Ticket, publisher: Publisher): void => {
      if (ticket.encodedAt !== undefined && publisher.isReady) chain.publish(ticket, publisher);
    };
    return {
      started: (ticket) => {
        const publisher = chain.startPublisher();
        owners.set(publisher, ticket);
        own.set(ticket, publisher);
      },
      encoded: (ticket) => publishWhenBoth(ticket, own.get(ticket)!),
      ready: (publisher) => publishWhenBoth(owners.get(publisher)!, publisher),
    };
  },
  queue: (chain) => inTurn(chain, { isPool: false }),
  'pre-warmed': (chain) => inTurn(chain, { isPool: true }),
  ours: (chain) => new Reserving(chain),
};

/**
 * What is encoded waits in a line; who is ready takes the first of it.
 *
 * @param isPool publishers are ready before the first item, each one that was used is replaced. Else: a publisher is
 *   started for each item that joins the line
 */
function inTurn(chain: Chain, { isPool }: { isPool: boolean }): Policy {
  const line: Ticket[] = [];
  const warm: Publisher[] = [];
  const serve = (): void => {
    while (line.length > 0 && warm.length > 0) {
      chain.publish(line.shift()!, warm.shift()!);
      if (isPool) chain.startPublisher();
    }
  };
  return {
    open: () => {
      for (let place = 0; isPool && place < PLACES; place++) warm.push(chain.warmPublisher());
    },
    encoded: (ticket) => {
      line.push(ticket);
      if (!isPool) chain.startPublisher();
      serve();
    },
    ready: (publisher) => {
      warm.push(publisher);
      serve();
    },
  };
}

/**
 * The pool of the product: encoding begins when a publisher is promised, that is when it is sure to be ready in time
 * however long starts take; who is encoded and has the least time left is served first, unless that broke a promise.
 */
class Reserving implements Policy {
  private readonly pool: PublisherPool;
  private readonly publishers = new Map<number, Publisher>();
  private readonly numbers = new Map<Publisher, number>();
  private readonly done = new Map<string, Ticket>();
  private wakesAt = Infinity;

  constructor(private readonly chain: Chain) {
    this.pool = new PublisherPool({
      min: 1,
      max: PLACES,
      startSeconds: chain.settings.startSeconds,
      reusable: false,
    });
  }

  open(): void {
    this.steer();
  }

  mayStart(ticket: Ticket): boolean {
    const isPromised = this.pool.reserve(this.needOf(ticket), this.now);
    this.steer();
    return isPromised;
  }

  encoded(ticket: Ticket): void {
    this.done.set(ticket.id, ticket);
    this.pool.ask(ticket.id, limitOf(ticket, ticket.startedAt!), this.now);
    this.steer();
  }

  ready(publisher: Publisher): void {
    this.pool.started(this.numbers.get(publisher)!, this.now);
    this.steer();
  }

  /** Milliseconds, as the pool counts. */
  private get now(): number {
    return this.chain.clock.now() * 1000;
  }

  private needOf(ticket: Ticket): Need {
    const now = this.chain.clock.now();
    return { id: ticket.id, from: (now + ticket.encodingTime) * 1000, by: limitOf(ticket, now) };
  }

  private steer(): void {
    for (const action of this.pool.steer(this.now)) {
      if (action.do === 'start') {
        const publisher = this.chain.startPublisher();
        this.publishers.set(action.publisher, publisher);
        this.numbers.set(publisher, action.publisher);
      } else if (action.do === 'assign') {
        this.chain.publish(this.done.get(action.id)!, this.publishers.get(action.publisher)!);
        this.pool.done(action.publisher, false, this.now);
      } else {
        this.chain.stopPublisher(this.publishers.get(action.publisher)!);
      }
    }
    this.wake();
  }

  private wake(): void {
    const at = this.pool.wakeAt(this.now);
    if (at === undefined || at >= this.wakesAt) return;
    this.wakesAt = at;
    this.chain.after((at - this.now) / 1000, () => {
      this.wakesAt = Infinity;
      this.steer();
    });
  }
}

/** Milliseconds. What nobody can publish in time takes nothing from others: it has no limit. */
function limitOf({ encodingTime, publicationTimeout }: Ticket, startedAt: number): number {
  return encodingTime > publicationTimeout ? Infinity : (startedAt + publicationTimeout - MARGIN) * 1000;
}
