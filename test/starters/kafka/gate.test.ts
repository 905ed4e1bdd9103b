import { Backoff } from '../../../src/starters/kafka/backoff.js';
import { createGate } from '../../../src/starters/kafka/gate.js';

describe('the gate', () => {
  const rig = (max: number) => {
    const state = { now: 0, open: 0, counts: 0 };
    const gate = createGate(
      max,
      () => Promise.resolve((state.counts++, state.open)),
      () => state.now,
    );
    return { state, gate };
  };

  test('closes at the limit, counting its own starts, and opens when workflows have ended', async () => {
    const { state, gate } = rig(3);
    expect([await gate.enter(), await gate.enter(), await gate.enter(), await gate.enter()]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    state.open = 3;
    state.now = 1_000;
    expect(await gate.enter()).toBe(false);
    state.open = 1;
    state.now = 4_000;
    expect(await gate.enter()).toBe(true);
  });

  test('a start that visibility does not show yet keeps its place', async () => {
    const { state, gate } = rig(1);
    expect(await gate.enter()).toBe(true);
    state.now = 1_500;
    expect(await gate.enter()).toBe(false);
  });

  test('asks rarely when far from the limit, and once for many', async () => {
    const { state, gate } = rig(1_000);
    await Promise.all(Array.from({ length: 100 }, () => gate.enter()));
    expect(state.counts).toBe(1);
    state.now = 4_000;
    await gate.enter();
    expect(state.counts).toBe(1);
  });

  test('without a limit asks nobody', async () => {
    const { state, gate } = rig(0);
    expect(await gate.enter()).toBe(true);
    expect(state.counts).toBe(0);
  });
});

describe('the back-off', () => {
  test('doubles up to its cap, counts a round of failures once, starts anew after a success', () => {
    let now = 0;
    const backoff = new Backoff(
      () => now,
      () => 0,
    );
    const pauses: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      pauses.push(backoff.failed() ?? -1);
      expect(backoff.failed()).toBeUndefined();
      expect(backoff.succeeded()).toBe(false);
      now += backoff.remaining();
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(backoff.succeeded()).toBe(true);
    expect(backoff.succeeded()).toBe(false);
    expect(backoff.failed()).toBe(500);
  });
});
