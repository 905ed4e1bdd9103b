/** Rules between settings. */
import { isIP } from 'node:net';
import { ConfigSchema, type Config } from './schema.js';

export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIP(name) === 4) return name.startsWith('127.');
  // A host that is a path is the folder of a Unix socket.
  return name === '::1' || name === 'localhost' || name.endsWith('.localhost') || name.startsWith('/');
}

function databaseOf(url: string): { host: string; user: string; password: string } {
  const { hostname, username, password, searchParams } = new URL(url);
  return {
    host: searchParams.get('host') ?? decodeURIComponent(hostname),
    user: searchParams.get('user') ?? decodeURIComponent(username),
    password: searchParams.get('password') ?? decodeURIComponent(password),
  };
}

/** Mistakes that only show when settings are seen together. Every single value is taken to be valid. */
export function crossCheck(config: Config): string[] {
  const mistakes: string[] = [];
  const { workers, kafka, storage, catalogue, http, grpc, temporal, codec } = config;
  if (workers.forceSeconds <= workers.graceSeconds) {
    mistakes.push(
      `Expected workers.forceSeconds (WORKERS_FORCE_SECONDS) to be more than workers.graceSeconds (WORKERS_GRACE_SECONDS), ${workers.graceSeconds}, but received ${workers.forceSeconds}`,
    );
  }
  if (kafka.saslMechanism !== 'none' && (kafka.username === '' || kafka.password === '')) {
    mistakes.push(
      `Expected kafka.username (KAFKA_USERNAME) and kafka.password (KAFKA_PASSWORD) with kafka.saslMechanism (KAFKA_SASL_MECHANISM) ${kafka.saslMechanism}`,
    );
  }
  if (new URL(storage.endpoint).pathname !== '/') {
    mistakes.push('Expected no path in storage.endpoint (STORAGE_ENDPOINT): buckets are at the root of the endpoint');
  }
  const defaults = ConfigSchema.properties.storage.properties;
  const storageHost = new URL(storage.endpoint).hostname;
  const storeIsOpen =
    storage.accessKey === Reflect.get(defaults.accessKey, 'default') ||
    storage.secretKey === Reflect.get(defaults.secretKey, 'default');
  if (!isLoopback(storageHost) && storeIsOpen) {
    mistakes.push(
      `Mediamill refuses to start with the default credentials of a store that is not on loopback (${storageHost}): set storage.accessKey (STORAGE_ACCESS_KEY) and storage.secretKey (STORAGE_SECRET_KEY)`,
    );
  }
  const database = databaseOf(catalogue.url);
  const databaseIsOpen = database.user === 'mediamill' && database.password === 'mediamill';
  if (!isLoopback(database.host) && databaseIsOpen) {
    mistakes.push(
      `Mediamill refuses to start with the default credentials of a database that is not on loopback (${database.host}): set catalogue.url (DATABASE_URL)`,
    );
  }
  if (!isLoopback(http.host) && (storeIsOpen || databaseIsOpen)) {
    mistakes.push(
      `Mediamill refuses to start an HTTP server that is not on loopback (${http.host}) with the default credentials of its store or database: set http.host (HTTP_HOST), or credentials`,
    );
  }
  const httpIsOpen = !isLoopback(http.host) || (http.publicUrl !== '' && !isLoopback(new URL(http.publicUrl).hostname));
  if (http.auth === 'off' && (httpIsOpen || !isLoopback(grpc.host))) {
    mistakes.push(
      'Mediamill refuses to serve without API keys anywhere but on loopback: set http.auth (HTTP_AUTH) to keys, and make one with `mediamill keys create`',
    );
  }
  if (temporal.encryptionKeys !== '' && codec.token === '' && !isLoopback(codec.host)) {
    mistakes.push(
      'Mediamill refuses to decrypt for everybody anywhere but on loopback: set codec.token (CODEC_TOKEN), or codec.host (CODEC_HOST)',
    );
  }
  if (http.auth === 'keys' && http.tokenSecret.length < 32) {
    mistakes.push(
      'Expected http.tokenSecret (HTTP_TOKEN_SECRET) of at least 32 characters with http.auth (HTTP_AUTH) keys: it signs playback tokens',
    );
  }
  return mistakes;
}
