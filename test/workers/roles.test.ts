import { loadConfig, type ConfigOverrides } from '../../src/config/index.js';
import { planRole, ROLES, type Role } from '../../src/workers/roles.js';

const at = (cores: number, overrides: ConfigOverrides = {}): Record<Role, number> => {
  const config = loadConfig({ files: [], env: {}, overrides });
  return Object.fromEntries(ROLES.map((role) => [role, planRole(role, config, cores).concurrency])) as Record<
    Role,
    number
  >;
};

test.each([
  [1, { video: 2, image: 1 }],
  [2, { video: 2, image: 2 }],
  [8, { video: 4, image: 8 }],
  [64, { video: 32, image: 64 }],
])('with %s cores each queue has what it can feed, and sound never waits behind a picture', (cores, expected) => {
  expect(at(cores)).toMatchObject(expected);
});

test('what is configured holds, whatever the cores', () => {
  const workers = { videoConcurrency: 1, imageConcurrency: 5, mediaConcurrency: 7 };
  for (const cores of [1, 64]) expect(at(cores, { workers })).toEqual({ video: 1, image: 5, media: 7 });
});

test('each role polls its own queue, one of them runs workflows, and the others have decoders', () => {
  const config = loadConfig({ files: [], env: { QUEUES_VIDEO: 'films' } });
  const plans = ROLES.map((role) => planRole(role, config));
  expect(plans.map(({ runsWorkflows, needsTools }) => [runsWorkflows, needsTools])).toEqual([
    [true, false],
    [false, true],
    [false, true],
  ]);
  expect(plans.map(({ taskQueue }) => taskQueue)).toEqual(['media', 'films', 'image']);
});
