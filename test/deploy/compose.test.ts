/** What can be known of the containers without an engine. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Errors } from 'typebox/schema';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/index.js';
import { SETTINGS } from '../../src/config/settings.js';
import { originsOf } from '../../src/starters/codec/server.js';

interface Service {
  image?: string;
  build?: string;
  init?: boolean;
  user?: string;
  command?: string | string[];
  profiles?: string[];
  entrypoint?: string | string[];
  restart?: string;
  stop_grace_period?: string;
  environment?: Record<string, string>;
  ports?: string[];
  networks?: string[];
  security_opt?: string[];
  cap_drop?: string[];
  read_only?: boolean;
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
}

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
};
const services = Object.entries(compose.services);
const once = ['temporal-schema', 'temporal-namespace', 'init'];
const lasting = services.filter(([name]) => !once.includes(name));
const ours = services.filter(([, { image }]) => image?.startsWith('mediamill:'));
const decoding = ours.filter(([, { environment }]) => environment?.SCRATCH_DIR);

const REQUIRED = '<required>';
/**
 * As compose would fill it in. `${NAME:-default}` becomes its default where nothing is given, `${NAME:+other}` empty,
 * `${NAME:?why}` a marker: what the file itself fixes.
 */
const settled = (value: string, given: Readonly<Record<string, string>> = {}) =>
  value.replace(/\$\{(\w+)(?::([-+?])([^}]*))?\}/g, (_, name: string, kind?: string, text = '') => {
    const set = given[name] ?? '';
    if (kind === '+') return set === '' ? '' : text;
    return set || (kind === '-' ? text : REQUIRED);
  });

it('fits the schema of the compose specification', () => {
  // test/deploy/compose-spec.json is compose-spec.json of github.com/compose-spec/compose-go (Apache-2.0).
  const schema = JSON.parse(read('test/deploy/compose-spec.json')) as object;
  const [valid, errors] = Errors(schema, compose);
  expect(errors).toEqual([]);
  expect(valid).toBe(true);
});

it('has the servers, the workers and the starters', () => {
  expect(ours.map(([name]) => name).sort()).toEqual([
    'codec',
    'grpc',
    'http',
    'init',
    'starter',
    'worker-image',
    'worker-media',
    'worker-publish',
    'worker-video',
  ]);
  expect(services.map(([name]) => name)).toEqual(
    expect.arrayContaining(['postgres', 'temporal', 'temporal-ui', 'kafka', 'minio']),
  );
});

it.each(services)('%s runs a pinned image', (_, { image }) => {
  expect(image && settled(image)).toMatch(/:[\w-]*\d[\w.-]*$/);
  expect(image).not.toMatch(/:latest/);
});

it.each(services.filter(([, { ports }]) => ports))('%s publishes ports on loopback only', (_, { ports, networks }) => {
  for (const port of ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  expect(networks).toContain('edge');
});

it.each(lasting)('%s restarts, has a stop time and a health check', (_, service) => {
  expect(service.restart).toBe('unless-stopped');
  expect(service.stop_grace_period).toMatch(/^\d+s$/);
  // Ours is in the image.
  if (!service.image?.startsWith('mediamill:')) expect(service.healthcheck?.test?.[0]).toBe('CMD');
  expect(read('Dockerfile')).toMatch(/^HEALTHCHECK .*CMD \["node"/m);
});

it.each(ours)('%s stops in order: grace < force < stop time', (_, { environment = {}, stop_grace_period: stop }) => {
  const config = loadConfig({ files: [], env: withSecrets(environment) });
  expect(config.workers.graceSeconds).toBeLessThan(config.workers.forceSeconds);
  // With time left to close connections and write the last log lines.
  expect(config.workers.forceSeconds + 10).toBeLessThanOrEqual(Number.parseInt(stop ?? '', 10));
});

it.each(ours)('%s is started in exec form below an init, without privileges', (_, service) => {
  expect(Array.isArray(service.command)).toBe(true);
  expect(service).toMatchObject({
    init: true,
    user: 'node',
    read_only: true,
    cap_drop: ['ALL'],
    networks: service.ports ? ['backend', 'edge'] : ['backend'],
  });
  expect(service.security_opt).toContain('no-new-privileges:true');
  expect(compose.networks.backend).toEqual({ internal: true });
});

it.each(ours)(
  '%s: every variable is a setting, and together they are a valid configuration',
  (_, { environment = {} }) => {
    const known = SETTINGS.map(({ env }) => env);
    // What is standard elsewhere has no name of ours.
    const named = Object.keys(environment).filter((name) => !name.startsWith('OTEL_'));
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
    expect(() => loadConfig({ files: [], env: withSecrets(environment) })).not.toThrow();
  },
);

it('refuses to start without passwords, and has none of its own', () => {
  for (const [name, { environment = {} }] of services) {
    for (const [variable, value] of Object.entries(environment)) {
      if (/PASSWORD|_PWD|SECRET|ACCESS_KEY|ROOT_USER|CODEC_TOKEN/.test(variable)) {
        expect([name, variable, settled(value)]).toEqual([name, variable, REQUIRED]);
      }
      if (variable === 'DATABASE_URL') expect(settled(value)).toContain(`:${REQUIRED}@`);
    }
  }
  const asked = [...read('docker-compose.yml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
  const made = [...read('deploy/new-env.sh').matchAll(/^(\w+)=(\$\(secret\)|\w+)$/gm)].map(([, name]) => name);
  expect(made.sort()).toEqual([...new Set(asked)].sort());
});

describe('the codec server', () => {
  const { codec, 'codec-gateway': gateway, 'temporal-ui': ui } = compose.services;
  const given = {
    TEMPORAL_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    CODEC_TOKEN: randomBytes(24).toString('hex'),
  };
  const configOf = ({ environment = {} }: Service, env: Record<string, string> = given) =>
    loadConfig({ files: [], env: withSecrets(environment, env) });

  it('has the keys that all others have, and runs where somebody asks for it', () => {
    for (const [, service] of ours)
      expect(configOf(service).temporal.encryptionKeys).toBe(given.TEMPORAL_ENCRYPTION_KEYS);
    for (const [, service] of ours) expect(configOf(service, {}).temporal.encryptionKeys).toBe('');
    for (const [name, { profiles }] of [...ours, ['codec-gateway', gateway!] as const])
      expect([name, profiles]).toEqual([name, name.startsWith('codec') ? ['encryption'] : undefined]);
  });

  it('is reached through the gateway alone, which has its token', () => {
    const { host, port, token } = configOf(codec!).codec;
    expect([host, port, token]).toEqual(['0.0.0.0', 8091, given.CODEC_TOKEN]);
    expect(codec!.ports).toBeUndefined();
    expect([gateway!.command].flat().map((part) => settled(part!, given))).toEqual([
      'caddy',
      'reverse-proxy',
      `--from=:${port}`,
      `--to=codec:${port}`,
      `--header-up=Authorization: Bearer ${token}`,
    ]);
    expect(gateway!.ports).toEqual([`127.0.0.1:${port}:${port}`]);
    expect(gateway!.depends_on).toEqual({ codec: { condition: 'service_healthy' } });
  });

  it('is named to the Web UI where there are keys, and answers its page', () => {
    const endpoint = ui!.environment!.TEMPORAL_CODEC_ENDPOINT!;
    expect(settled(endpoint, given)).toBe(`http://${gateway!.ports![0]!.replace(/:\d+$/, '')}`);
    expect(settled(endpoint)).toBe('');
    const page = `http://${ui!.ports![0]!.replace(/:\d+$/, '')}`;
    expect(originsOf(configOf(codec!).temporal.uiUrl)).toContain(page);
  });
});

it('lets only the workers that decode build sandboxes, and nothing weaker unless told', () => {
  expect(decoding.map(([name]) => name)).toEqual(['worker-video', 'worker-image']);
  for (const [, { environment = {}, security_opt: options }] of decoding) {
    expect(settled(environment.SANDBOX_MODE ?? '')).toBe('strict');
    expect(options).toContain('seccomp=./deploy/seccomp/sandbox.json');
  }
  for (const [name, { security_opt: options = [] }] of services) {
    if (!decoding.some(([other]) => other === name)) expect(options.join()).not.toMatch(/unconfined|seccomp/);
  }
});

it('allows bubblewrap what it needs, and keeps the rest of the default profile', () => {
  const profile = JSON.parse(read('deploy/seccomp/sandbox.json')) as {
    defaultAction: string;
    syscalls: { names: string[]; action: string; includes?: object; args?: object }[];
  };
  expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO');
  const added = profile.syscalls.at(-1);
  expect(added).toMatchObject({ action: 'SCMP_ACT_ALLOW' });
  expect(added?.names).toEqual(['clone', 'mount', 'pivot_root', 'sethostname', 'umount2', 'unshare']);
  const always = profile.syscalls.filter(
    ({ action, includes, args }) => action === 'SCMP_ACT_ALLOW' && !includes && !args,
  );
  for (const dangerous of [
    'bpf',
    'kexec_load',
    'init_module',
    'open_by_handle_at',
    'ptrace_attach',
    'setns',
    'userfaultfd',
  ]) {
    expect(always.some(({ names }) => names.includes(dangerous))).toBe(false);
  }
});

describe.each(['Dockerfile', 'deploy/minio/Dockerfile'])('%s', (file) => {
  const lines = read(file).replace(/\\\n/g, ' ').split('\n');
  const of = (instruction: string) => lines.filter((line) => line.startsWith(`${instruction} `));

  it('pins its base images', () => {
    const stages = of('FROM').map((line) => / AS (\w+)/.exec(line)?.[1]);
    for (const line of of('FROM')) {
      const base = line.split(' ')[1] ?? '';
      if (!stages.includes(base)) expect(base).toMatch(/:\d+\.\d+/);
    }
  });

  it('ends as a user without privileges, in exec form, with a health check', () => {
    expect(of('USER').at(-1)).toMatch(/^USER (node|minio)$/);
    for (const line of [...of('CMD'), ...of('ENTRYPOINT')]) expect(line).toMatch(/^\w+ \[".*"\]$/);
    expect(of('HEALTHCHECK')).toHaveLength(1);
  });

  it('leaves no package lists behind', () => {
    for (const line of of('RUN').filter((run) => run.includes('apt-get'))) {
      expect(line).toContain('--no-install-recommends');
      expect(line).toContain('rm -rf /var/lib/apt/lists/*');
    }
  });
});

it('copies what is there and what .dockerignore lets through', () => {
  const files = read('.dockerignore').match(/(?<=^!).+$/gm) ?? [];
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
    ([, what]) => what?.split(' ') ?? [],
  );
  expect(copied.length).toBeGreaterThan(5);
  for (const file of copied) {
    expect(files.some((allowed) => file === allowed || file.startsWith(`${allowed}/`))).toBe(true);
    expect([file, existsSync(join(root, file))]).toEqual([file, true]);
  }
});

/** Values as compose would hand them over, with a password where one is required. @param given in the `.env` */
function withSecrets(environment: Record<string, string>, given?: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      settled(value, given).replaceAll(REQUIRED, 'c0ffee'.repeat(8)),
    ]),
  );
}
