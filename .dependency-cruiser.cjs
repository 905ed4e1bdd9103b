/**
 * Imports point one way (docs/architecture.md, "Rooms"). This file is that picture as rules:
 * `npm run boundaries` fails where the code leaves it.
 */

/** Each room, and the rooms that it may import. A room may always import itself. */
const ROOMS = {
  contracts: [],
  config: ['contracts'],
  logging: ['contracts', 'config'],
  metrics: ['contracts', 'config', 'logging'],
  telemetry: ['contracts', 'config', 'logging'],
  media: ['contracts'],
  tools: ['contracts', 'config', 'logging', 'metrics', 'telemetry', 'media'],
  net: ['contracts', 'config', 'logging', 'metrics'],
  storage: ['contracts', 'config', 'logging', 'metrics', 'media'],
  catalogue: ['contracts', 'config', 'logging', 'metrics', 'media'],
  messaging: ['contracts', 'config', 'logging', 'metrics', 'media'],
  activities: [
    ...['contracts', 'config', 'logging', 'metrics', 'media', 'net', 'tools', 'storage', 'catalogue', 'messaging'],
  ],
  workflows: ['contracts'],
  workers: [
    ...['contracts', 'config', 'logging', 'metrics', 'media', 'tools', 'storage', 'catalogue', 'messaging'],
    ...['activities', 'workflows', 'client', 'telemetry'],
  ],
  client: ['contracts', 'config', 'logging', 'telemetry'],
  api: ['contracts', 'client', 'config', 'logging', 'metrics', 'media', 'net', 'storage', 'catalogue', 'messaging'],
  'starters/kafka': [
    ...['contracts', 'client', 'config', 'logging', 'metrics', 'telemetry', 'messaging', 'storage', 'catalogue'],
  ],
  'starters/http': [
    ...['contracts', 'client', 'config', 'logging', 'metrics', 'telemetry', 'media', 'storage', 'catalogue'],
    ...['messaging', 'api'],
  ],
  'starters/grpc': [
    ...['contracts', 'client', 'config', 'logging', 'metrics', 'telemetry', 'storage', 'catalogue'],
    ...['messaging', 'api'],
  ],
  'starters/codec': ['contracts', 'client', 'config', 'logging', 'metrics'],
  local: ['contracts', 'client', 'config', 'logging', 'storage', 'catalogue', 'messaging', 'tools'],
  // The command line is where all parts meet: it starts them, and asks each of them how it is.
  'starters/cli': [
    ...['contracts', 'client', 'config', 'logging', 'metrics', 'messaging', 'storage', 'catalogue', 'tools', 'media'],
    // Activities: `verify` does at any time what publishing does.
    ...['local', 'workers', 'starters/kafka', 'activities', 'api'],
  ],
};

const oneWay = Object.entries(ROOMS).map(([room, allowed]) => ({
  name: `room-${room.replace('/', '-')}`,
  severity: 'error',
  comment: `src/${room} may import: ${[room, ...allowed].join(', ')}.`,
  from: { path: `^src/${room}/` },
  to: {
    path: '^src/',
    pathNot: [
      `^src/(${[room, ...allowed].join('|')})/`,
      // The word of activities to workflows is their type alone: it leaves no import behind.
      ...(room === 'workflows' ? ['^src/activities/.*'] : []),
    ],
  },
}));

/** A library that only one place may know, so that leaving it is a change of that place. */
const only = (library, place) => ({
  name: `only-${library.replace(/\W/g, '-')}`,
  severity: 'error',
  comment: `${library} stays behind its port in ${place}.`,
  from: { path: '^(src|bin|bench|scripts)/', pathNot: place },
  to: { path: `(^|/)node_modules/(@types/)?${library}/` },
});

const FOLDERS = [...new Set(Object.keys(ROOMS).map((room) => room.split('/')[0]))];
const STARTERS = Object.keys(ROOMS).filter((room) => room.startsWith('starters/'));

module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'every-room-is-drawn',
      severity: 'error',
      comment: 'A new room gets a line in ROOMS above: what may it import?',
      from: {
        path: '^src/',
        pathNot: `^src/(${[...FOLDERS.filter((f) => f !== 'starters'), ...STARTERS].join('|')})/`,
      },
      to: {},
    },
    {
      name: 'activities-as-types-only',
      severity: 'error',
      comment: 'A value import would pull ffmpeg, sharp and Node into the workflow bundle.',
      from: { path: '^src/workflows/' },
      to: { path: '^src/activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nothing-of-node',
      severity: 'error',
      comment: 'Workflows replay in an isolate; contracts are used there.',
      from: { path: '^src/(contracts|workflows|media)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'workflow-libraries',
      severity: 'error',
      comment: 'Everything else may not be deterministic.',
      from: { path: '^src/workflows/' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/@temporalio/(workflow|common)/' },
    },
    only('kafkajs', '^src/messaging/kafka'),
    // Bucket notifications are set-up of the local server, not something that our port to a store should have.
    only('minio', '^src/(storage/s3-[a-z]+|local/bucket-events)\\.ts$'),
    only('fluent-ffmpeg', '^src/tools/ffmpeg/'),
    // And where it is measured without us around it.
    only('sharp', '^(src/tools/images/|bench/support/bare-sharp\\.ts$)'),
    // The measurement of searches writes a million rows and reads plans.
    only('pg', '^(src/catalogue/|bench/search\\.ts$)'),
    only('kysely', '^(src/catalogue/|bench/(search|support/search-catalogue)\\.ts$)'),
    only('fastify', '^src/starters/http/'),
    only('prom-client', '^src/metrics/'),
    only('@opentelemetry', '^src/telemetry/'),
    // The health check of a container is a client.
    only('@grpc/grpc-js', '^(src/starters/grpc/|scripts/healthcheck\\.mjs$)'),
    {
      name: 'measurements-run-alone',
      severity: 'error',
      comment: 'Jest lends its globals to tests only: what a measurement shares with them must do without.',
      from: { path: '^bench/' },
      to: { path: '(^|/)node_modules/@jest/globals/', reachable: true },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Modules in a cycle can only be understood together.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'What nothing imports and nothing starts is dead.',
      from: {
        orphan: true,
        pathNot: [
          '\\.d\\.ts$',
          // Leaves that are entry points: started by name, not imported.
          '^bin/',
          '^bench/',
          '^scripts/',
        ],
      },
      to: {},
    },
    {
      name: 'declared-dependencies',
      severity: 'error',
      comment: 'What the service loads is in "dependencies": the image is built without the others.',
      from: { path: '^(src|bin)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'An import that leads nowhere.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-tests-in-source',
      severity: 'error',
      comment: 'Tests see the source, never the other way round.',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    cache: false,
  },
};
