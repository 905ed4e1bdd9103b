import { deadlineEvent, renditionEvent, stateEvent } from '../../src/messaging/results.js';

const change = { assetId: 'a1', workflowId: 'w', generation: 1, tenant: 't', kind: 'video', state: 'ready' } as const;

test('a repeated step repeats the id; another state, generation or asset has another', () => {
  const id = (over: Partial<typeof change> | object = {}) => stateEvent({ ...change, ...over }, new Date()).id;
  expect(id()).toBe(id());
  expect(new Set([id(), id({ state: 'failed' }), id({ generation: 2 }), id({ assetId: 'a2' })]).size).toBe(4);
});

test('the envelope is CloudEvents 1.0', () => {
  const rendition = {
    name: '720p',
    type: 'video',
    mime: 'application/vnd.apple.mpegurl',
    bytes: 1,
    url: 'http://x/y',
  } as const;
  expect(renditionEvent({ ...change, rendition }, new Date(0))).toMatchObject({
    specversion: '1.0',
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
    source: '/mediamill',
    type: 'io.mediamill.rendition.ready',
    subject: 'a1',
    time: '1970-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    data: { rendition: { name: '720p' } },
  });
});

test('of one deadline each word is said once; another deadline is another event', () => {
  const identity = { assetId: 'a', workflowId: 'w', generation: 1, tenant: 't' };
  const risk = {
    ...{ state: 'at-risk' as const, code: 'DEADLINE_AT_RISK' as const, measures: [] },
    ...{ publishBy: '2026-11-21T12:00:00.000Z', projectedAt: '2026-11-21T12:00:09.000Z', slackSeconds: -9 },
  };
  const event = (over: object = {}) => deadlineEvent({ ...identity, ...risk, ...over }, new Date());
  expect(event()).toMatchObject({ type: 'io.mediamill.asset.deadline', subject: 'a', data: { ...identity, ...risk } });
  expect(event({ projectedAt: '2026-11-21T12:00:20.000Z', slackSeconds: -20 }).id).toBe(event().id);
  const others = [
    event(),
    event({ state: 'missed' }),
    event({ generation: 2 }),
    event({ publishBy: risk.projectedAt }),
  ];
  expect(new Set(others.map(({ id }) => id)).size).toBe(4);
});
