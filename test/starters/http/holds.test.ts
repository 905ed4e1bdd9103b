import { setTimeout as sleep } from 'node:timers/promises';
import { Holds } from '../../../src/starters/http/play/holds.js';

const forever = (): AbortSignal => new AbortController().signal;

it('answers at once what is there, however many wait', async () => {
  const holds = new Holds(5, 0);
  await expect(holds.until('x', async () => 'here', forever())).resolves.toBe('here');
  await expect(holds.until('x', async () => undefined, forever())).rejects.toMatchObject({ problem: 'busy' });
});

it('gives all that wait for one thing what one look finds', async () => {
  const holds = new Holds(20, 100);
  let looks = 0;
  let there = false;
  const look = async () => {
    looks += 1;
    return there ? 'found' : undefined;
  };
  const waiting = Array.from({ length: 50 }, () => holds.until('x', look, forever()));
  await sleep(500);
  there = true;
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['found']));
  // Fifty first looks, and then one at a time: not fifty each time.
  expect(looks).toBeLessThan(100);
});

it('says that it is not made yet after its bound, even when looking never ends', async () => {
  const holds = new Holds(1, 10);
  await expect(holds.until('x', async () => undefined, forever())).rejects.toMatchObject({
    problem: 'not-made-yet',
    details: { retryAfter: 1 },
  });
  await expect(holds.until('y', () => new Promise(() => undefined), forever())).rejects.toMatchObject({
    problem: 'not-made-yet',
  });
});

it('hands on why there is nothing to wait for any more, to all', async () => {
  const holds = new Holds(20, 10);
  let looks = 0;
  const look = async () => {
    looks += 1;
    if (looks > 6) throw new Error('it failed');
    return undefined;
  };
  const waiting = [1, 2, 3].map(() => holds.until('x', look, forever()));
  expect(await Promise.allSettled(waiting)).toEqual(
    [1, 2, 3].map(() => expect.objectContaining({ status: 'rejected', reason: new Error('it failed') }) as object),
  );
});

it('stops looking when the last one has gone, and begins anew for the next', async () => {
  const holds = new Holds(20, 10);
  let looks = 0;
  let there = false;
  const look = async () => {
    looks += 1;
    return there ? 'found' : undefined;
  };
  const gone = new AbortController();
  const first = holds.until('x', look, gone.signal);
  await sleep(200);
  gone.abort();
  await expect(first).rejects.toMatchObject({ problem: 'not-made-yet' });
  const next = holds.until('x', look, forever());
  there = true;
  await expect(next).resolves.toBe('found');
  await sleep(100);
  const before = looks;
  await sleep(400);
  expect(looks).toBe(before);
});

it('tells of a miss, and of its end', async () => {
  const holds = new Holds(20, 10);
  const events: string[] = [];
  let there = true;
  const look = async () => (there ? 'found' : undefined);
  const missed = () => {
    events.push('missed');
    return () => void events.push('over');
  };
  await holds.until('x', look, forever(), missed);
  expect(events).toEqual([]);
  there = false;
  const waiting = holds.until('x', look, forever(), missed);
  await sleep(150);
  expect(events).toEqual(['missed']);
  there = true;
  await waiting;
  expect(events).toEqual(['missed', 'over']);
});

it('answers all that wait when it closes', async () => {
  const holds = new Holds(20, 10);
  const waiting = holds.until('x', async () => undefined, forever());
  await sleep(20);
  holds.close();
  await expect(waiting).rejects.toMatchObject({ problem: 'not-made-yet' });
});
