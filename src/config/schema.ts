/**
 * Every setting: its type, default and meaning. The loader, the environment variables, validation
 * and the table in the README are derived from this.
 *
 * Environment variable of `a.bC` is `A_B_C`; `env` names another one where the world already has a name.
 * `secret` values are never printed; `schemes` are the allowed schemes of a URL.
 */
import { Type, type Static } from 'typebox';

/** A text may be empty only where empty is the default and has a meaning of its own: an empty environment variable is an unset one. */
const text = (description: string, value: string, extra: object = {}) =>
  Type.String({ description, default: value, ...(value === '' ? {} : { minLength: 1 }), ...extra });
const count = (description: string, value: number, extra: object = {}) =>
  Type.Integer({ description, default: value, minimum: 0, ...extra });
const HTTP = { schemes: ['http:', 'https:'] };
const HOST_PORT = { pattern: '^(\\[[^\\]]+\\]|[^:/\\s]+):\\d{1,5}$', patternMeans: 'host:port' };
const group = <T extends Parameters<typeof Type.Object>[0]>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

export const ConfigSchema = group({
  temporal: group({
    address: text(
      'Temporal front end, host:port. TLS, API key and profiles: its standard `TEMPORAL_*` variables.',
      '127.0.0.1:7233',
      HOST_PORT,
    ),
    namespace: text('Temporal namespace.', 'default'),
    uiUrl: text('Temporal Web UI, for links.', 'http://127.0.0.1:8233', HTTP),
    encryptionKeys: text(
      'Arguments, results and progress are encrypted before Temporal is given them: `<id>:<Base64 of 32 bytes>`, comma-separated; the first key encrypts, all decrypt. The same for every process. Empty: off.',
      '',
      {
        secret: true,
        pattern: '^([A-Za-z0-9._-]{1,64}:[A-Za-z0-9+/]{43}=(,(?!$)|$))*$',
        patternMeans: 'keys of the form <id>:<Base64 of 32 bytes>, comma-separated',
      },
    ),
  }),
  kafka: group({
    brokers: Type.Array(Type.String(HOST_PORT), {
      description: 'Bootstrap brokers.',
      default: ['127.0.0.1:9092'],
      minItems: 1,
    }),
    tls: Type.Union([Type.Literal('off'), Type.Literal('on')], {
      description: 'Encryption to the brokers. A certificate authority of your own: `NODE_EXTRA_CA_CERTS`.',
      default: 'off',
    }),
    saslMechanism: Type.Union(
      [Type.Literal('none'), Type.Literal('plain'), Type.Literal('scram-sha-256'), Type.Literal('scram-sha-512')],
      { description: 'How to log in to the brokers.', default: 'none' },
    ),
    username: text('User at the brokers, with a `kafka.saslMechanism`.', ''),
    password: text('Its password.', '', { secret: true }),
    clientId: text('Client id.', 'mediamill'),
    groupId: text('Consumer group of the starters.', 'mediamill-starter'),
    sessionSeconds: count('A starter that died is noticed, and its partitions go to others, after so long.', 15, {
      minimum: 6,
    }),
    uploadsTopic: text('Upload events in.', 'media.uploads'),
    dlqTopic: text('Events that can never work.', 'media.uploads.dlq'),
    resultsTopic: text('State changes and finished renditions out.', 'media.results'),
    partitions: count('Partitions of topics that we create.', 6, { minimum: 1 }),
  }),
  storage: group({
    endpoint: text('S3 endpoint URL.', 'http://127.0.0.1:9000', HTTP),
    region: text('S3 region.', 'us-east-1'),
    accessKey: text('Access key. The default is refused anywhere but on loopback.', 'minioadmin', { secret: true }),
    secretKey: text('Secret key. The default is refused anywhere but on loopback.', 'minioadmin', { secret: true }),
    uploadsBucket: text('Raw uploads, private.', 'uploads'),
    uploadsPrefix: text('Only objects under this prefix are uploads.', ''),
    stagingBucket: text('Resumable uploads on their way, private. Nobody is told of its objects.', 'staging'),
    mediaBucket: text('Outputs.', 'media'),
    publicUrl: text(
      'Base URL under which players reach the store or its CDN; `/<bucket>/<key>` follows. Empty: the endpoint.',
      '',
      HTTP,
    ),
    timeoutSeconds: count('A request of which no byte moves for so long is given up and tried again.', 30, {
      minimum: 1,
    }),
  }),
  catalogue: group({
    url: text('PostgreSQL connection URL.', 'postgres://mediamill:mediamill@127.0.0.1:5432/mediamill', {
      env: 'DATABASE_URL',
      secret: true,
      schemes: ['postgres:', 'postgresql:'],
    }),
    poolSize: count('Connections per process.', 5, { minimum: 1 }),
  }),
  http: group({
    host: text('Address that the HTTP server listens on.', '127.0.0.1'),
    port: count('Its port. 0: any free one.', 8080, { maximum: 65_535 }),
    publicUrl: text('URL under which others reach it; paths such as `/v1/...` follow. Empty: host and port.', '', HTTP),
    holdSeconds: count(
      'A player waits so long for a segment that is not encoded yet, before it is told to ask again. Players give up after ten.',
      8,
      { minimum: 1 },
    ),
    maxHeld: count('Requests that wait so at once; further ones are told to ask again.', 2000, { minimum: 1 }),
    auth: Type.Union([Type.Literal('off'), Type.Literal('keys')], {
      description:
        '`keys`: every request needs an API key (`mediamill keys create`). `off` is refused anywhere but on loopback.',
      default: 'off',
    }),
    tokenSecret: text(
      'Signs playback tokens; at least 32 characters, the same on every instance. Empty: one of its own, good until the server stops; refused with `http.auth` `keys`.',
      '',
      { secret: true },
    ),
    tokenSeconds: count('A playback token is good for so long when nothing else is asked for.', 21_600, {
      minimum: 10,
      maximum: 604_800,
    }),
    cdnUrl: text(
      'Base URL of a CDN in front of the media bucket: playlists name `<base>/<key>` instead of signed URLs. Empty: none.',
      '',
      HTTP,
    ),
    trustedProxies: text(
      'Addresses or networks (CIDR), separated by commas, whose `X-Forwarded-For` is believed. Empty: none.',
      '',
    ),
    allowedOrigins: Type.Array(Type.String({ minLength: 1 }), {
      description:
        'Origins of pages that may ask, as `https://app.example`; `*`: all. While `http.auth` is `off`, pages of other origins may change something only where they are named.',
      default: ['*'],
      minItems: 1,
    }),
    requestsPerMinute: count('Requests of one API key or address. Answers to players do not count. 0: no limit.', 3000),
    maxOpenUploads: count('Uploads of one API key that may be under way at once. 0: no limit.', 1000),
    uploadHours: count('An upload that nobody ends is forgotten after so long.', 24, { minimum: 1 }),
    slowUploadSeconds: count('An upload that brings less than 1 KiB a second for so long is ended. 0: never.', 60),
    fetchUrls: Type.Union([Type.Literal('off'), Type.Literal('on')], {
      description: 'Uploads by URL (`source.url`): the server fetches from public addresses.',
      default: 'off',
    }),
    signedUrlSeconds: count("Players are sent to the store's segments by URLs that are good for so long.", 600, {
      minimum: 10,
      maximum: 604_800,
    }),
  }),
  grpc: group({
    host: text('Address that the gRPC server listens on. `http.auth` holds for it too.', '127.0.0.1'),
    port: count('Its port. 0: any free one.', 8090, { maximum: 65_535 }),
  }),
  codec: group({
    host: text(
      'Address that the codec server listens on: it decrypts for the Temporal Web UI. Runs where `temporal.encryptionKeys` is set.',
      '127.0.0.1',
    ),
    port: count('Its port. 0: any free one.', 8091, { maximum: 65_535 }),
    token: text('Bearer token that it asks for. Empty: none; refused anywhere but on loopback.', '', { secret: true }),
  }),
  metrics: group({
    host: text('Address on which every process serves its metrics to Prometheus, under `/metrics`.', '127.0.0.1'),
    port: count('Its port: one for each process. 0: any free one, which the log names.', 0, { maximum: 65_535 }),
  }),
  webhooks: group({
    allowPrivate: Type.Union([Type.Literal('off'), Type.Literal('on')], {
      description: 'Endpoints on loopback and private networks, over HTTP too. For development.',
      default: 'off',
    }),
    retryHours: count('A receiver that does not answer is tried again, ever more rarely, for so long.', 72, {
      minimum: 1,
    }),
  }),
  retention: group({
    rawDays: Type.Number({
      description: 'Raw uploads are removed so many days after their asset is ready; 0: at once; negative: never.',
      default: -1,
    }),
    outputDays: Type.Number({ description: 'Assets are deleted after so many days. Negative: never.', default: -1 }),
    failedDays: Type.Number({
      description: 'Failed and cancelled assets are deleted after so many days. Negative: never.',
      default: 30,
    }),
    sweepMinutes: count('So often retention and the search for lost things run. 0: never.', 60),
  }),
  queues: group({
    media: text('Task queue of workflows and light steps.', 'media'),
    video: text('Task queue of inspection and encoding.', 'video'),
    videoUrgent: text('Task queue of first segments and seeks.', 'video-urgent'),
    image: text('Task queue of image work.', 'image'),
    publish: text('Task queue of publishing and of deliveries to targets.', 'publish'),
  }),
  publishers: group({
    targets: text('YAML file of the targets that profiles deliver to. Empty: none.', ''),
    max: count('Publishers that are ready or starting at once, per target and publish worker, at most.', 10, {
      minimum: 1,
    }),
  }),
  workers: group({
    videoConcurrency: count('Encodes at once per video worker. 0: by cores (one ffmpeg uses all its cores).', 0),
    urgentConcurrency: count('First segments and seeks at once per video worker, beside its other encodes.', 4, {
      minimum: 1,
    }),
    bulkNiceness: count(
      'Niceness of encoders that no viewer waits for: they give way to those, and to servers of the same machine. 0 to 19.',
      19,
      { maximum: 19 },
    ),
    imageConcurrency: count(
      'Images decoded at once per image worker; as many again are fetched or published. 0: one per core.',
      0,
    ),
    mediaConcurrency: count('Light steps at once per media worker.', 20, { minimum: 1 }),
    publishConcurrency: count('Assets published or delivered at once per publish worker.', 40, { minimum: 1 }),
    graceSeconds: count('After SIGTERM, how long running steps may go on before they are asked to hand over.', 5),
    forceSeconds: count('After SIGTERM, when the process ends whatever still runs. Must exceed the grace time.', 20, {
      minimum: 1,
    }),
  }),
  starter: group({
    maxOpenWorkflows: count('Queue length: with so many open workflows, consumption pauses. 0: no limit.', 1000),
    concurrency: count('Workflow starts at once per starter.', 32, { minimum: 1 }),
    maxEventBytes: count('Larger events are dead-lettered.', 262144, { minimum: 1024 }),
    tenant: text('Tenant of events that name none.', 'default'),
    profile: text('Profile of events that name none.', 'default'),
  }),
  scratch: group({
    dir: text("Scratch space, a cache. Empty: a folder of the system's temporary directory.", ''),
    maxGiB: Type.Number({
      description:
        'Refuse new work (NO_SPACE, retried) when the scratch folder holds more than this. 0: only the disk is the limit.',
      default: 0,
      minimum: 0,
    }),
    minFreeMiB: count('Refuse new work (NO_SPACE, retried) when less than this is free.', 256),
    cacheMiB: count(
      'Downloaded sources that no job uses are kept, up to so much, for the next step of the same asset.',
      4096,
    ),
  }),
  limits: group({
    maxUploadMiB: count('Largest video or audio upload.', 20480, { minimum: 1 }),
    maxVideoHours: Type.Number({ description: 'Longest video or audio.', default: 12, exclusiveMinimum: 0 }),
    maxImageMiB: count('Largest image file.', 100, { minimum: 1 }),
    maxMegapixels: Type.Number({ description: 'Pixels x frames of an image.', default: 50, exclusiveMinimum: 0 }),
    maxSidePx: count('Longest side of an image or video.', 20000, { minimum: 16 }),
    maxFrames: count('Frames of an animation.', 300, { minimum: 1 }),
    imageSeconds: count('Wall time of one decoder for one image.', 10, { minimum: 1 }),
    imageMemoryMiB: count('Memory of one image process.', 512, { minimum: 64 }),
    videoMemoryMiB: count('Memory of one ffmpeg process.', 4096, { minimum: 256 }),
    stallSeconds: count('An encoder without progress for so long is killed and retried.', 30, { minimum: 1 }),
  }),
  profiles: group({
    dir: text('Folder of your own profiles. One of the name of a shipped profile replaces it.', ''),
  }),
  sandbox: group({
    mode: Type.Union([Type.Literal('strict'), Type.Literal('reduced')], {
      description:
        '`strict` refuses to start where network, file-system or privilege isolation of decoders is not to be had; `reduced` takes what there is.',
      default: 'strict',
    }),
  }),
  log: group({
    level: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')], {
      description: 'Least severe level that is written.',
      default: 'info',
    }),
    backend: text('`pino` or `winston`; anything else falls back to `pino` with a warning.', 'pino'),
  }),
  local: group({
    dir: text('State of the local stack. Empty: `.mediamill` in the current folder.', ''),
    bindHost: text('Address that local servers listen on.', '127.0.0.1'),
    temporalBin: text('Temporal CLI of the local stack. Empty: `PATH`, else the cache, else built.', '', {
      env: 'TEMPORAL_BIN',
    }),
    minioBin: text('MinIO server of the local stack. Empty: `PATH`, else the cache, else built.', '', {
      env: 'MINIO_BIN',
    }),
    kafkaHome: text(
      'Kafka folder (with `libs/`) of the local stack. Empty: `PATH`, else the cache, else fetched.',
      '',
      { env: 'KAFKA_HOME' },
    ),
    postgresBin: text('Folder with `initdb` and `postgres` of the local stack. Empty: the npm package.', '', {
      env: 'POSTGRES_BIN',
    }),
  }),
});

export type Config = Static<typeof ConfigSchema>;
