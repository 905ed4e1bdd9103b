import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Config } from '../../src/config/index.js';
import { ensureServers } from '../../src/local/build.js';
import { prepareKafka } from '../../src/local/kafka-data.js';
import { choosePorts } from '../../src/local/ports.js';
import { silent } from '../../src/local/progress.js';
import { poll, portOpen } from '../../src/local/ready.js';
import { orphanProof, ServerProcess } from '../../src/local/server-process.js';
import { kafkaLaunch } from '../../src/local/servers/kafka.js';
import type { Ports } from '../../src/local/servers/types.js';
import { useStack } from '../support/stack.js';
import { spawnStarter, withStarters } from '../support/starter.js';

const stack = useStack();
const PASSWORD = 'open-sesame';
const before = process.env.NODE_EXTRA_CA_CERTS;
let dir: string;
let server: ServerProcess;
let kafka: Config['kafka'];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-login-'));
  const ports = await choosePorts({}, '127.0.0.1');
  const { kafka: home } = await ensureServers(['kafka'], stack.config.local, silent);
  const properties = await prepareKafka(home!, dir, ports, '127.0.0.1', 1);
  await appendFile(properties, encryptedListener(ports, await certificate()));
  const launch = kafkaLaunch(home!, properties);
  server = new ServerProcess('kafka', { ...launch, ...orphanProof(launch) }, 'SIGTERM', join(dir, 'kafka.log'));
  const broker = `127.0.0.1:${ports.kafka}`;
  await server.untilReady((signal) => poll(() => portOpen(broker), signal), 60_000);
  kafka = {
    ...stack.config.kafka,
    brokers: [broker],
    tls: 'on',
    saslMechanism: 'plain',
    username: 'mill',
    password: PASSWORD,
  };
}, 180_000);
afterAll(async () => {
  await server?.stop(15_000);
  if (before === undefined) delete process.env.NODE_EXTRA_CA_CERTS;
  else process.env.NODE_EXTRA_CA_CERTS = before;
  await rm(dir, { recursive: true, force: true });
}, 30_000);

/** A key store with a self-signed certificate; its PEM is for the children of this test to trust. */
async function certificate(): Promise<string> {
  const keytool = (...args: string[]) => promisify(execFile)('keytool', args);
  const [store, pem] = [join(dir, 'store.p12'), join(dir, 'ca.pem')];
  const access = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', PASSWORD, '-alias', 'kafka'];
  await keytool('-genkeypair', ...access, '-keyalg', 'EC', '-dname', 'CN=localhost', '-ext', 'SAN=ip:127.0.0.1');
  await keytool('-exportcert', ...access, '-rfc', '-file', pem);
  process.env.NODE_EXTRA_CA_CERTS = pem;
  return store;
}

/** The last line of a name counts in a properties file. */
function encryptedListener(ports: Ports, store: string): string {
  const users = { username: 'mill', password: PASSWORD, user_mill: PASSWORD };
  const login = Object.entries(users).map(([name, value]) => `${name}="${value}"`);
  const settings = {
    listeners: `SASL_SSL://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${ports.kafkaController}`,
    'advertised.listeners': `SASL_SSL://127.0.0.1:${ports.kafka}`,
    'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'SASL_SSL',
    'sasl.enabled.mechanisms': 'PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${login.join(' ')};`,
    ...{ 'ssl.keystore.location': store, 'ssl.keystore.password': PASSWORD },
    ...{ 'ssl.truststore.location': store, 'ssl.truststore.password': PASSWORD },
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

test('admin, producer and consumer speak TLS and log in', async () => {
  await withStarters({ ...stack.config, kafka }, 1, async ([starter]) => {
    starter!.kill('SIGTERM');
    expect(await starter!.exit).toBe(0);
  });
}, 60_000);

test('a wrong password is said, and not shown', async () => {
  const starter = spawnStarter({ ...stack.config, kafka: { ...kafka, password: 'wrong-wrong' } });
  expect(await starter.exit).toBe(1);
  expect(starter.log).toMatch(/authentication failed/i);
  expect(starter.log).not.toContain('wrong-wrong');
}, 60_000);
