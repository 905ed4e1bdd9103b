import { setTimeout as sleep } from 'node:timers/promises';

import type { Job } from '../../../src/contracts/assets.js';
import { MediaError } from '../../../src/contracts/errors.js';
import { itemEventOf } from '../../../src/contracts/ingest-event.js';
import type { Logger } from '../../../src/logging/logger.js';
import type { BrokerRecord } from '../../../src/messaging/messaging.js';
import { blame } from '../../../src/starters/kafka/blame.js';
import { createBatchHandler, type StarterPorts } from '../../../src/starters/kafka/starter.js';

const settings = {
  ...{ uploadsBucket: 'uploads', uploadsPrefix: '', mediaBucket: 'media', maxEventBytes: 10_000, concurrency: 4 },
  ...{ tenant: 'default', profile: 'default' },
};

/** A handler over plain functions: starts end as `start` says. What it did is recorded. */
function rig(start: (key: string) => Promise<void>, over: Partial<StarterPorts> = {}) {
  const done: string[] = [];
  const letters: string[] = [];
  const lines: string[] = [];
  const state = { places: 0 };
  const log = (level: string) => (message: string, fields?: object) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const [debug, info, warn, error] = ['debug', 'info', 'warn', 'error'].map(log);
  const ports: StarterPorts = {
    admit: ({ key }) =>
      Promise.resolve({ outcome: 'admitted', job: { source: { key } } as Job, contentType: undefined }),
    start: ({ job }) => start(job.source.key),
    startItem: ({ id }) => start(id).then(() => ({ ok: true })),
    deadLetter: (record, reason, detail) => Promise.resolve(void letters.push(`${record.offset} ${reason} ${detail}`)),
    gate: { enter: () => Promise.resolve((state.places += 1) > 0), leave: () => void (state.places -= 1) },
    judge: blame,
    ...over,
  };
  const handler = createBatchHandler(ports, settings, { debug, info, warn, error } as unknown as Logger);
  const handle = (names: readonly string[], partition = 0) => {
    const records = names.map((name, offset): BrokerRecord => {
      const [key, value] = [Buffer.from('video/mp4'), Buffer.from(name)];
      return { topic: 't', partition, offset: `${offset}`, timestamp: '0', key, value, headers: {} };
    });
    const { signal } = new AbortController();
    return handler({ topic: 't', partition, records, signal, done: ({ offset }) => void done.push(offset) });
  };
  const handleRecord = (value: string) => {
    const record = { topic: 't', partition: 0, offset: `${done.length}`, timestamp: '0', key: null, headers: {} };
    const records = [{ ...record, value: Buffer.from(value) }];
    const { signal } = new AbortController();
    return handler({ topic: 't', partition: 0, records, signal, done: ({ offset }) => void done.push(offset) });
  };
  return { handle, handleRecord, done, letters, lines, state };
}

async function run(names: readonly string[], start: (key: string) => Promise<void>, over: Partial<StarterPorts> = {}) {
  const { handle, done, ...rest } = rig(start, over);
  const verdict = await handle(names);
  return { verdict, done: done.sort(), ...rest };
}

const bug = () => Promise.reject(new TypeError('x is undefined'));
const outage = () => Promise.reject(new MediaError('STORE_UNAVAILABLE'));

test('an event that fails for a reason of its own is tried four times, then dead-lettered; the others go on', async () => {
  const tries: Record<string, number> = {};
  const { verdict, done, letters, lines } = await run(['good', 'bad', 'shaky'], (key) => {
    tries[key] = (tries[key] ?? 0) + 1;
    return key === 'bad' || (key === 'shaky' && tries[key] === 1) ? bug() : Promise.resolve();
  });
  expect(tries).toEqual({ good: 1, bad: 4, shaky: 2 });
  expect(done).toEqual(['0', '1', '2']);
  expect(letters).toEqual(['1 INTERNAL TypeError: x is undefined']);
  expect(lines.filter((line) => line.startsWith('error the event can not be handled'))).toHaveLength(5);
  expect(verdict.pauseMs).toBe(0);
}, 15_000);

test('an outage pauses the partition: nothing is dead-lettered, however often it fails', async () => {
  const { verdict, done, letters } = await run(['a', 'b'], outage);
  expect(verdict.pauseMs).toBeGreaterThan(0);
  expect([done, letters]).toEqual([[], []]);
});

test('an outage that begins between the tries of a bad event keeps it', async () => {
  let tries = 0;
  const { done, letters, verdict } = await run(['bad'], () => ((tries += 1) < 3 ? bug() : outage()));
  expect([tries, done, letters]).toEqual([3, [], []]);
  expect(verdict.pauseMs).toBeGreaterThan(0);
});

test('an event that not even the dead-letter topic takes stays', async () => {
  const { done, verdict } = await run(['bad'], bug, { deadLetter: () => sleep(1).then(bug) });
  expect(done).toEqual([]);
  expect(verdict.pauseMs).toBeGreaterThan(0);
}, 15_000);

test('a failed look at the store gives its place at the gate back', async () => {
  const { state } = await run(['a'], () => Promise.resolve(), { admit: outage });
  expect(state.places).toBe(0);
});

test('what looks like an outage to one event holds up its partition, not the others', async () => {
  const { handle, done } = rig((key) => (key === 'stuck' ? outage() : Promise.resolve()));
  expect((await handle(['stuck'], 0)).pauseMs).toBeGreaterThan(0);
  expect((await handle(['free'], 1)).pauseMs).toBe(0);
  expect(done).toEqual(['0']);
});

test('an upload that is announced twice is looked at and started once', async () => {
  const bytes = (etag: string) => ({ bucket: 'uploads', key: 'a.mp4', etag });
  let stored = bytes('one');
  let looks = 0;
  const started: string[] = [];
  const { handler, done } = notified({
    admit: () => {
      looks += 1;
      return Promise.resolve({ outcome: 'admitted', job: { source: stored } as Job, contentType: undefined });
    },
    start: ({ job }) => Promise.resolve(void started.push(job.source.etag!)),
  });
  await handler('one');
  await handler('one');
  expect([looks, started]).toEqual([1, ['one']]);
  // Overwritten: other bytes, another upload.
  stored = bytes('two');
  await handler('two');
  expect([looks, started]).toEqual([2, ['one', 'two']]);
  expect(done).toHaveLength(3);
});

test('an event for bytes that are gone does not make their return known', async () => {
  let looks = 0;
  const { handler } = notified({
    admit: () => {
      looks += 1;
      const source = { bucket: 'uploads', key: 'a.mp4', etag: 'newer' };
      return Promise.resolve({ outcome: 'admitted', job: { source } as Job, contentType: undefined });
    },
  });
  await handler('older');
  await handler('older');
  expect(looks).toBe(2);
});

/** Bucket notifications for one object, by the etag that they name. */
function notified(over: Partial<StarterPorts>) {
  const { handleRecord, done } = rig(() => Promise.resolve(), over);
  return {
    done,
    handler: (eTag: string) =>
      handleRecord(
        JSON.stringify({
          Records: [
            { eventName: 's3:ObjectCreated:Put', s3: { bucket: { name: 'uploads' }, object: { key: 'a.mp4', eTag } } },
          ],
        }),
      ),
  };
}

describe('an item of an ingest', () => {
  const data = { ingest: 'news', id: 'clip-1', tenant: 'acme', line: { encodingTime: 3 } };

  test('is begun under its name, without a place among the uploads', async () => {
    const started: string[] = [];
    const { handleRecord, done, letters, state } = rig((id) => Promise.resolve(void started.push(id)));
    await handleRecord(JSON.stringify(itemEventOf('e1', data)));
    expect({ started, done, letters, places: state.places }).toEqual({
      started: ['clip-1'],
      done: ['0'],
      letters: [],
      places: 0,
    });
  });

  test.each([
    ['a negative time', { ...data, line: { encodingTime: -1 } }],
    ['a file that was put nowhere', { ...data, line: { file: 'clip.mp4' } }],
    ['a name that can not be one', { ...data, ingest: '../news' }],
  ])('with %s is dead-lettered', async (_, wrong) => {
    const { handleRecord, letters } = rig(bug);
    await handleRecord(JSON.stringify(itemEventOf('e1', wrong)));
    expect(letters).toEqual([expect.stringContaining('EVENT_INVALID')]);
  });

  test('stays while Temporal is away', async () => {
    const { handleRecord, done, letters } = rig(outage);
    const verdict = await handleRecord(JSON.stringify(itemEventOf('e1', data)));
    expect(verdict.pauseMs).toBeGreaterThan(0);
    expect({ done, letters }).toEqual({ done: [], letters: [] });
  });
});
