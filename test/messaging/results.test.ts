import { renditionEvent, stateEvent } from '../../src/messaging/results.js';

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
