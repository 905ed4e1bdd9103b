import { describe, expect, test } from '@jest/globals';

import { PublisherPool, type PoolAction, type PoolRules } from '../../src/contracts/publisher-pool.js';
import { isSure, type Need } from '../../src/contracts/reservations.js';

const RULES: PoolRules = { min: 0, max: 10, startSeconds: 6, reusable: false };
const poolOf = (rules: Partial<PoolRules> = {}): PublisherPool => new PublisherPool({ ...RULES, ...rules });
const did = (actions: readonly PoolAction[], what: PoolAction['do']): number[] =>
  actions.filter((action) => action.do === what).map(({ publisher }) => publisher);
const given = (actions: readonly PoolAction[]): string[] =>
  actions.flatMap((action) => (action.do === 'assign' ? [action.id] : []));

/** A pool with so many that are ready at 0. */
function warm(count: number, rules: Partial<PoolRules> = {}): PublisherPool {
  const pool = poolOf({ min: count, ...rules });
  for (const publisher of did(pool.steer(-1000), 'start')) pool.started(publisher, 0);
  return pool;
}

describe('who gets the next one', () => {
  test('the one with the least time left, and who has no limit last', () => {
    const pool = poolOf({ max: 1 });
    pool.ask('whenever', Infinity, 0);
    pool.ask('soon', 9_000, 1);
    pool.ask('soonest', 8_000, 2);
    pool.started(did(pool.steer(2), 'start')[0]!, 3);
    expect(given(pool.steer(3))).toEqual(['soonest']);
    expect(pool.state(3)).toMatchObject({ busy: 1, waiting: 2 });
  });

  test('who is too late already goes after those who are not, and is not forgotten', () => {
    const pool = warm(1, { max: 1 });
    pool.ask('late', 5, 10);
    pool.ask('in time', 9_000, 10);
    expect(given(pool.steer(10))).toEqual(['in time']);
    pool.started(2, 20);
    expect(given(pool.steer(20))).toEqual(['late']);
  });

  test('nobody takes what another one was promised', () => {
    const pool = warm(1, { max: 1 });
    expect(pool.reserve({ id: 'promised', from: 2_000, by: 3_000 }, 0)).toBe(true);
    pool.ask('first', Infinity, 1_000);
    expect(given(pool.steer(1_000))).toEqual([]);
    pool.ask('promised', 3_000, 2_000);
    expect(given(pool.steer(2_000))).toEqual(['promised']);
    pool.started(2, 3_000);
    expect(given(pool.steer(3_000))).toEqual(['first']);
  });

  test('one that is ready early is not given to somebody who could break a promise by it', () => {
    const pool = poolOf({ max: 1 });
    expect(pool.reserve({ id: 'loose', from: 1_000, by: Infinity }, 0)).toBe(true);
    const [publisher] = did(pool.steer(0), 'start');
    expect(pool.reserve({ id: 'tight', from: 5_500, by: 7_500 }, 500)).toBe(true);
    pool.ask('loose', Infinity, 1_000);
    pool.started(publisher!, 4_000);
    expect(given(pool.steer(4_000))).toEqual([]);
    pool.ask('tight', 7_500, 5_500);
    expect(given(pool.steer(5_500))).toEqual(['tight']);
  });

  test('a promise that is broken holds nobody up', () => {
    const pool = warm(1, { max: 1 });
    expect(pool.reserve({ id: 'lost', from: 500, by: 1_000 }, 0)).toBe(true);
    pool.lost(1, 100);
    const [publisher] = did(pool.steer(100), 'start');
    pool.started(publisher!, 900);
    pool.ask('lost', 1_000, 1_500);
    pool.ask('other', 20_000, 1_500);
    expect(given(pool.steer(1_500))).toEqual(['other']);
  });
});

describe('how many are kept ready', () => {
  test('as many as are asked for while one starts, and no more than may be', () => {
    const pool = poolOf({ max: 30 });
    const wanted = (perSecond: number): number => {
      for (let ms = 0; ms < 60_000; ms += 1000 / perSecond) pool.ask('a', Infinity, perSecond * 1e6 + ms);
      pool.release('a');
      return pool.state(perSecond * 1e6 + 60_000).target;
    };
    expect(wanted(0.1)).toBe(2);
    expect(wanted(1)).toBe(9);
    expect(wanted(2)).toBe(15);
    expect(wanted(20)).toBe(30);
  });

  test('what starts in a moment need not be kept ready', () => {
    const pool = poolOf({ startSeconds: 0.01 });
    for (let ms = 0; ms < 60_000; ms += 500) pool.ask('a', Infinity, ms);
    pool.release('a');
    expect(pool.state(60_000).target).toBe(0);
  });

  test('measured starts count, not what was said of them', () => {
    const pool = warm(10);
    expect(pool.state(0).startSeconds).toBe(1);
  });

  test('an expected one is started in time, and not before', () => {
    const pool = poolOf();
    pool.expect({ id: 'a', from: 60_000, by: Infinity });
    expect(did(pool.steer(0), 'start')).toEqual([]);
    expect(pool.wakeAt(0)).toBe(54_000);
    expect(did(pool.steer(54_000), 'start')).toHaveLength(1);
  });

  test('surplus goes after a while, down to the least', () => {
    const pool = warm(2);
    pool.expect({ id: 'a', from: 0, by: Infinity });
    pool.expect({ id: 'b', from: 0, by: Infinity });
    pool.expect({ id: 'c', from: 0, by: Infinity });
    const [third] = did(pool.steer(0), 'start');
    pool.started(third!, 100);
    for (const id of ['a', 'b', 'c']) pool.release(id);
    expect(did(pool.steer(50_000), 'stop')).toEqual([]);
    expect(did(pool.steer(61_000), 'stop')).toHaveLength(1);
    expect(pool.state(61_000)).toMatchObject({ ready: 2 });
  });

  test('a dead one is replaced; one that can not start is tried again, ever less often', () => {
    const pool = warm(1);
    pool.lost(1, 0);
    const delays: number[] = [];
    let now = 0;
    for (let tries = 0; tries < 7; tries++) {
      const [publisher] = did(pool.steer(now), 'start');
      pool.lost(publisher!, now);
      const next = pool.wakeAt(now)!;
      delays.push(next - now);
      expect(did(pool.steer(next - 1), 'start')).toEqual([]);
      now = next;
    }
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test('one that can be used again is ready again; one that broke is replaced', () => {
    const pool = warm(1, { reusable: true });
    pool.ask('a', Infinity, 0);
    expect(given(pool.steer(0))).toEqual(['a']);
    pool.done(1, true, 10);
    pool.ask('b', Infinity, 10);
    expect(given(pool.steer(10))).toEqual(['b']);
    pool.done(1, false, 20);
    expect(pool.state(20)).toMatchObject({ busy: 0, ready: 0 });
  });

  test('a drain stops those that are ready, starts none and promises nothing', () => {
    const pool = warm(3);
    pool.ask('a', Infinity, 0);
    expect(given(pool.steer(0))).toEqual(['a']);
    pool.drain();
    const actions = pool.steer(1);
    expect(did(actions, 'stop')).toHaveLength(2);
    expect(did(actions, 'start')).toEqual([]);
    expect(pool.reserve({ id: 'b', from: 0, by: Infinity }, 1)).toBe(false);
    pool.done(1, true, 2);
    expect(did(pool.steer(2), 'start')).toEqual([]);
  });
});

describe('promises', () => {
  test.each<[boolean, number[], [number, number][]]>([
    [true, [0], [[5, 5]]],
    [false, [6], [[5, 5]]],
    [true, [6], [[5, 6]]],
    // One place twice: it is filled again 6 after its use.
    [
      true,
      [0],
      [
        [0, 0],
        [1, 6],
      ],
    ],
    [
      false,
      [0],
      [
        [0, 0],
        [1, 5],
      ],
    ],
    [
      false,
      [0, 0],
      [
        [0, 0],
        [0, 0],
        [3, 5],
      ],
    ],
    [
      true,
      [0, 0],
      [
        [0, 0],
        [0, 0],
        [3, 6],
      ],
    ],
    [true, [], []],
    [false, [], [[0, Infinity]]],
  ])('%s: ready at %j, wanted within %j', (sure, readyAt, wanted) => {
    const needs = wanted.map(([from, by], at): Need => ({ id: `${at}`, from, by }));
    expect(isSure({ readyAt, refillMs: 6 }, needs, 0)).toBe(sure);
  });

  test('who waits long without a promise is not passed by for ever', () => {
    const pool = warm(1, { max: 1 });
    expect(pool.reserve({ id: 'a', from: 1_000, by: 1_000 }, 0)).toBe(true);
    pool.ask('patient', Infinity, 0);
    pool.steer(0);
    pool.ask('a', 1_000, 1_000);
    expect(given(pool.steer(1_000))).toEqual(['a']);
    expect(pool.reserve({ id: 'b', from: 8_000, by: 8_000 }, 7_000)).toBe(false);
    pool.started(2, 7_000);
    expect(given(pool.steer(7_000))).toEqual(['patient']);
  });

  test('a promise to somebody who never comes lapses', () => {
    const pool = warm(1, { max: 1 });
    expect(pool.reserve({ id: 'gone', from: 1_000, by: 2_000 }, 0)).toBe(true);
    pool.ask('other', 60_000, 3_000);
    expect(given(pool.steer(3_000))).toEqual([]);
    const lapses = pool.wakeAt(3_000)!;
    expect(given(pool.steer(lapses))).toEqual(['other']);
    expect(pool.state(lapses).reserved).toBe(0);
  });

  test('who begins later than was thought still has what it was promised', () => {
    const pool = warm(1, { max: 1 });
    expect(pool.reserve({ id: 'promised', from: 50, by: 200 }, 0)).toBe(true);
    pool.ask('other', 60_000, 1_000);
    expect(given(pool.steer(1_000))).toEqual([]);
    pool.ask('promised', 2_150, 2_000);
    expect(given(pool.steer(2_000))).toEqual(['promised']);
  });

  // Twice what the pool can bear, of starts of 0-6 s: what waits for a promise waits before its time begins to count.
  test.each(Array.from({ length: 20 }, (_, seed) => seed))('seed %s: none is ever broken', (seed) => {
    const { late, most, done } = play(seed);
    expect(done).toBe(154);
    expect(late).toEqual([]);
    expect(most).toBeLessThanOrEqual(10);
  });
});

/** 154 items, 4 a second, each promised a publisher before it is encoded; starts take 0-6 s, publishers serve once. */
function play(seed: number): { late: string[]; most: number; done: number } {
  const random = generator(seed);
  const pool = poolOf();
  const queue = Array.from({ length: 154 }, (_, at) => {
    const encode = 500 + random() * 8_000;
    return { id: `${at}`, at: at * 250, encode, timeout: encode + random() * random() * 8_000 };
  });
  const events: { at: number; run(now: number): void }[] = [];
  const limits = new Map<string, number>();
  const late: string[] = [];
  let [most, done] = [0, 0];
  const steer = (now: number): void => {
    for (const item of [...queue].sort((a, b) => a.timeout - a.encode - b.timeout + b.encode)) {
      if (item.at > now) continue;
      const [from, by] = [now + item.encode, now + item.timeout];
      if (!pool.reserve({ id: item.id, from, by }, now)) break;
      queue.splice(queue.indexOf(item), 1);
      limits.set(item.id, by);
      // A little sooner or later than was said.
      const ends = Math.min(by, from * (0.98 + random() * 0.02));
      events.push({ at: Math.max(now, ends), run: (then) => pool.ask(item.id, by, then) });
    }
    for (const action of pool.steer(now)) {
      if (action.do === 'start')
        events.push({ at: now + random() * 6_000, run: (then) => pool.started(action.publisher, then) });
      if (action.do !== 'assign') continue;
      done += 1;
      if (now > limits.get(action.id)!) late.push(action.id);
      pool.done(action.publisher, true, now);
    }
    const { starting, ready } = pool.state(now);
    most = Math.max(most, starting + ready);
  };
  for (const { at } of queue) events.push({ at, run: () => undefined });
  for (let now = 0; done < 154 && now < Infinity;) {
    for (const event of events.splice(0)) {
      if (event.at <= now) event.run(now);
      else events.push(event);
    }
    steer(now);
    now = Math.min(pool.wakeAt(now) ?? Infinity, ...events.map(({ at }) => Math.max(at, now)));
  }
  return { late, most, done };
}

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed * 7919 + 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
