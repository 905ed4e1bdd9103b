/**
 * Publishers that take time to start, kept ready: how many, and who gets the next one.
 *
 * Pure and deterministic: no clock, no timer, no I/O, so that workers, workflows and benches keep their pools
 * by the same rules. Whoever drives a pool tells it what happened, then calls `steer` and does what it says,
 * again at `wakeAt`. All times are milliseconds of one clock.
 */
import { ArrivalRate, StartTimes, wantedReady } from './pool-figures.js';
import { isSure, leastSlack, type Need } from './reservations.js';

export interface PoolRules {
  /** Ready or starting at least, however quiet it is. */
  readonly min: number;
  /** Ready or starting at most: what being prepared may cost. Those at work do not count. */
  readonly max: number;
  /** No start takes longer, as far as one knows before any was seen. Seconds. */
  readonly startSeconds: number;
  /** A publisher can be used again; otherwise each use takes a new one. */
  readonly reusable: boolean;
}

export type PoolAction =
  | { readonly do: 'start'; readonly publisher: number }
  | { readonly do: 'stop'; readonly publisher: number }
  | { readonly do: 'assign'; readonly publisher: number; readonly id: string };

export interface PoolState {
  readonly starting: number;
  readonly ready: number;
  readonly busy: number;
  /** Who waits for a publisher. */
  readonly waiting: number;
  /** Who was promised one. */
  readonly reserved: number;
  /** How many are wanted, ready or starting. */
  readonly target: number;
  /** Asks per second. */
  readonly rate: number;
  /** 95 of 100 starts are done in so many seconds. */
  readonly startSeconds: number;
}

/** What was wanted once and is wanted no more stays so long: starting it again would cost more. Milliseconds. */
const IDLE_MS = 60_000;
/** An encode may take so much longer than was thought before nobody waits for it any more. */
const FORGOTTEN_MS = 300_000;
/** It may begin so much later than it was promised a publisher: steps have to be given to workers. */
const LATE_MS = 15_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

interface Publisher {
  readonly id: number;
  state: 'starting' | 'ready' | 'busy';
  /** Of the state. */
  since: number;
}

interface Ask extends Need {
  readonly since: number;
  /** It was promised one. */
  readonly sure: boolean;
}

export class PublisherPool {
  private readonly publishers = new Map<number, Publisher>();
  private readonly asks = new Map<string, Ask>();
  private readonly reservations = new Map<string, Need>();
  private readonly expected = new Map<string, Need>();
  private readonly starts: StartTimes;
  private readonly arrivals = new ArrivalRate();
  private next = 1;
  private failures = 0;
  private pausedUntil = -Infinity;
  private draining = false;

  constructor(private readonly rules: PoolRules) {
    this.starts = new StartTimes(rules.startSeconds);
  }

  /** Somebody will ask, about then: a publisher is made ready for it if there is room, and nothing is promised. */
  expect(need: Need): void {
    this.expected.set(need.id, need);
  }

  /**
   * Promises a publisher between `from` and `by`, unless that could break a promise. Until then it is expected.
   *
   * @returns whether it is promised; ask again after anything has changed
   */
  reserve(need: Need, now: number): boolean {
    if (this.draining) return false;
    this.expected.set(need.id, need);
    // Who was promised nothing must not wait for ever for those who are.
    if ([...this.asks.values()].some(({ sure, since }) => !sure && now - since > this.starts.boundMs)) return false;
    if (!this.holds([...this.promised(now, need.id), need], now)) return false;
    this.expected.delete(need.id);
    this.reservations.set(need.id, need);
    return true;
  }

  /** A promise that is not needed any more; an ask that is withdrawn. */
  release(id: string): void {
    this.reservations.delete(id);
    this.expected.delete(id);
    this.asks.delete(id);
  }

  /** Wants one now. @param by the limit, `Infinity` where there is none */
  ask(id: string, by: number, now: number): void {
    const sure = this.reservations.delete(id);
    this.expected.delete(id);
    this.asks.set(id, { id, from: now, by, since: now, sure });
    this.arrivals.count(now);
  }

  started(publisher: number, now: number): void {
    const one = this.publishers.get(publisher);
    if (one?.state !== 'starting') return;
    this.starts.count(now - one.since);
    this.failures = 0;
    Object.assign(one, { state: 'ready', since: now });
  }

  /** Ended its use. @param alive whether it could be used again */
  done(publisher: number, alive: boolean, now: number): void {
    const one = this.publishers.get(publisher);
    if (one && alive && this.rules.reusable && !this.draining) Object.assign(one, { state: 'ready', since: now });
    else this.publishers.delete(publisher);
  }

  /** Could not be started, or is no more. */
  lost(publisher: number, now: number): void {
    const one = this.publishers.get(publisher);
    this.publishers.delete(publisher);
    if (one?.state !== 'starting') return;
    this.pausedUntil = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures);
    this.failures += 1;
  }

  /** Nothing is started or promised any more; what is at work ends its work. */
  drain(): void {
    this.draining = true;
    this.reservations.clear();
    this.expected.clear();
  }

  /** What is to be done now. The pool takes it for done. */
  steer(now: number): PoolAction[] {
    this.forget(now);
    return [...this.assign(now), ...this.resize(now)];
  }

  /** When to steer again though nothing happens. */
  wakeAt(now: number): number | undefined {
    const lead = this.starts.boundMs;
    const times = [...this.reservations.values(), ...this.expected.values()].map(({ from }) => from - lead);
    if (this.pausedUntil > now) times.push(this.pausedUntil);
    // What is held for those who never come is free again.
    if (this.asks.size > 0) for (const need of this.reservations.values()) times.push(endOf(need) + 1);
    for (const { state, since } of this.publishers.values()) if (state === 'ready') times.push(since + IDLE_MS);
    const later = times.filter((at) => at > now);
    return later.length > 0 ? Math.min(...later) : undefined;
  }

  state(now: number): PoolState {
    return {
      starting: this.in('starting').length,
      ready: this.in('ready').length,
      busy: this.in('busy').length,
      waiting: this.asks.size,
      reserved: this.reservations.size,
      target: this.target(now),
      rate: this.arrivals.perSecond(now),
      startSeconds: this.starts.usualMs / 1000,
    };
  }

  /** Who has the least time left first, unless it would take what another one was promised. */
  private assign(now: number): PoolAction[] {
    const actions: PoolAction[] = [];
    const ready = this.in('ready');
    const open = [...this.asks.values()];
    while (ready.length > 0 && open.length > 0) {
      // Who is too late already waits for those who are not yet.
      const inTime = open.filter(({ by }) => by >= now);
      const ask = leastSlack(inTime.length > 0 ? inTime : open);
      open.splice(open.indexOf(ask), 1);
      const others = this.promised(now, ask.id);
      const supply = this.readyAt(now);
      const without = supply.slice(1).concat(now + this.starts.boundMs);
      // A promise that is broken already holds nobody up.
      if (!this.holds(others, now, without) && this.holds(others, now, supply)) continue;
      const publisher = ready.shift()!;
      Object.assign(publisher, { state: 'busy', since: now });
      this.asks.delete(ask.id);
      actions.push({ do: 'assign', publisher: publisher.id, id: ask.id });
    }
    return actions;
  }

  private resize(now: number): PoolAction[] {
    const actions: PoolAction[] = [];
    const target = this.target(now);
    let kept = this.in('starting').length + this.in('ready').length;
    for (; kept < target && now >= this.pausedUntil; kept++) {
      const publisher = this.next++;
      this.publishers.set(publisher, { id: publisher, state: 'starting', since: now });
      actions.push({ do: 'start', publisher });
    }
    for (const { id, since } of this.in('ready')) {
      if (kept <= target || (!this.draining && now - since < IDLE_MS)) break;
      this.publishers.delete(id);
      actions.push({ do: 'stop', publisher: id });
      kept -= 1;
    }
    return actions;
  }

  /** Little's law: what arrives during a start is what must be ready; and what is known to come. */
  private target(now: number): number {
    if (this.draining) return 0;
    const usual = wantedReady(this.arrivals.perSecond(now), this.starts.usualMs);
    const due = [...this.reservations.values(), ...this.expected.values()].filter(
      ({ from }) => from - this.starts.boundMs <= now,
    ).length;
    return Math.min(this.rules.max, Math.max(this.rules.min, usual, due + this.asks.size));
  }

  /** Promises that can be kept. @param but whose own promise is not meant */
  private promised(now: number, but: string): Need[] {
    const asked = [...this.asks.values()].filter(({ sure, by }) => sure && by >= now);
    const reserved = [...this.reservations.values()].map((need) => delayed(need, now));
    return [...reserved, ...asked].filter(({ id }) => id !== but);
  }

  private holds(needs: readonly Need[], now: number, readyAt = this.readyAt(now)): boolean {
    return isSure({ readyAt, refillMs: this.starts.boundMs }, needs, now);
  }

  /** When each publisher is ready at the latest, of as many as there may be; the first ones first. */
  private readyAt(now: number): number[] {
    const times = this.in('ready').map(() => now);
    for (const { since } of this.in('starting')) times.push(since + this.starts.boundMs);
    const startable = Math.max(now, this.pausedUntil) + this.starts.boundMs;
    while (times.length < this.rules.max) times.push(startable);
    return times;
  }

  /** Promises to those who never came, and whose time is over. */
  private forget(now: number): void {
    for (const kept of [this.reservations, this.expected])
      for (const need of kept.values()) if (now > endOf(need)) kept.delete(need.id);
  }

  private in(state: Publisher['state']): Publisher[] {
    return [...this.publishers.values()].filter((one) => one.state === state);
  }
}

/** Its time counts from the start of its encode: who has not come yet began later, and may come as much later. */
const delayed = (need: Need, now: number): Need => {
  const late = Math.max(0, now - need.from);
  return { ...need, from: need.from + late, by: need.by + late };
};

/** When nobody waits for it any more. */
const endOf = ({ from, by }: Need): number => Math.max(Math.min(by, from + FORGOTTEN_MS), from + LATE_MS);
