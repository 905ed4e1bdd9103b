import { loadConfig, type ConfigOverrides } from '../../src/config/index.js';
import { planRole, ROLES, type Role } from '../../src/workers/roles.js';

const at = (cores: number, overrides: ConfigOverrides = {}): Record<Role, number> => {
  const config = loadConfig({ files: [], env: {}, overrides });
  return Object.fromEntries(ROLES.map((role) => [role, planRole(role, config, cores).pools[0]?.concurrency])) as Record<
    Role,
    number
  >;
};

test.each([
  [1, { video: 2, image: 2 }],
  [2, { video: 2, image: 4 }],
  [8, { video: 4, image: 16 }],
  [64, { video: 32, image: 128 }],
])('with %s cores each queue has what it can feed, and sound never waits behind a picture', (cores, expected) => {
  expect(at(cores)).toMatchObject(expected);
});

test('what is configured holds, whatever the cores', () => {
  const workers = { videoConcurrency: 1, imageConcurrency: 5, mediaConcurrency: 7, publishConcurrency: 9 };
  for (const cores of [1, 64]) expect(at(cores, { workers })).toEqual({ video: 1, image: 10, media: 7, publish: 9 });
});

test('each role polls its own queues, one of them runs workflows, and the others have decoders', () => {
  const config = loadConfig({ files: [], env: { QUEUES_VIDEO: 'films' } });
  const plans = ROLES.map((role) => planRole(role, config));
  expect(plans.map(({ needsTools }) => needsTools)).toEqual([false, true, true, false]);
  expect(plans.map(({ pools }) => pools.map(({ taskQueue, runsWorkflows }) => [taskQueue, runsWorkflows]))).toEqual([
    [['media', true]],
    [
      ['films', false],
      ['video-urgent', false],
    ],
    [['image', false]],
    [
      ['publish', false],
      [expect.stringMatching(/^publish@.+:\d+$/), false],
    ],
  ]);
});

test('urgent work has slots of its own, which a full queue of encodes does not take', () => {
  const config = loadConfig({ files: [], overrides: { workers: { videoConcurrency: 1, urgentConcurrency: 3 } } });
  expect(planRole('video', config, 8).pools.map(({ concurrency }) => concurrency)).toEqual([1, 3]);
});
