import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { findServer, serverCacheDir, serverSource, type Machine } from '../../src/local/find.js';
import type { ServerName } from '../../src/local/servers/types.js';

const { local } = loadConfig({ files: [], env: {} });

/** A machine with these commands on its path and these files. */
function machine(commands: Record<string, string>, files: readonly string[] = []): Machine {
  return { which: (command) => commands[command], exists: (path) => files.includes(path), cacheDir: '/cache' };
}

const ALL = { go: '/usr/bin/go', java: '/usr/bin/java', mvn: '/usr/bin/mvn' };
const find = (name: ServerName, on: Machine, configured: Partial<typeof local> = {}) =>
  findServer(serverSource(name, { ...local, ...configured }), on);

describe('where a server comes from', () => {
  const cached = '/cache/temporal-v1.5.1/temporal';
  const everywhere = machine({ ...ALL, temporal: '/usr/bin/temporal' }, ['/opt/temporal', cached]);

  it('configuration goes before the path', () => {
    expect(find('temporal', everywhere, { temporalBin: '/opt/temporal' })).toEqual({
      how: 'configuration',
      path: '/opt/temporal',
    });
  });
  it('the path goes before the cache', () => {
    expect(find('temporal', everywhere)).toEqual({ how: 'path', path: '/usr/bin/temporal' });
  });
  it('the cache goes before a build', () => {
    expect(find('temporal', machine(ALL, [cached]))).toEqual({ how: 'cache', path: cached });
  });
  it('a build needs its package client', () => {
    expect(find('temporal', machine(ALL))).toEqual({ how: 'build', path: cached });
    expect(find('temporal', machine({}))).toEqual({
      how: 'missing',
      problem: expect.stringMatching(
        /^temporal needs go: apt-get install -y golang-go .*\(or name one by TEMPORAL_BIN\)$/,
      ) as unknown as string,
    });
  });
  it('what is configured and not there is a mistake, not a reason to look elsewhere', () => {
    expect(find('minio', machine(ALL), { minioBin: '/opt/minio' })).toEqual({
      how: 'missing',
      problem: 'MINIO_BIN names /opt/minio, which does not exist',
    });
  });
  it('Kafka on the path means the jars beside its scripts', () => {
    const found = find(
      'kafka',
      machine({ java: '/usr/bin/java', 'kafka-server-start.sh': '/opt/kafka/bin/kafka-server-start.sh' }),
    );
    expect(found).toEqual({ how: 'path', path: '/opt/kafka/libs' });
  });
  it('a cached Kafka still needs Java, and no Maven', () => {
    const libs = '/cache/kafka-4.1.1/libs';
    expect(find('kafka', machine({ java: '/usr/bin/java' }, [libs]))).toEqual({ how: 'cache', path: libs });
    expect(find('kafka', machine({}, [libs]))).toMatchObject({
      how: 'missing',
      problem: expect.stringContaining('kafka needs java') as unknown as string,
    });
  });
  it('names everything that a build lacks', () => {
    expect(find('kafka', machine({}))).toMatchObject({
      problem: expect.stringMatching(/needs java: .*; kafka needs mvn: /) as unknown as string,
    });
  });
});

it('keeps servers in the per-user cache', () => {
  expect(serverCacheDir({ XDG_CACHE_HOME: '/var/cache/me' })).toBe('/var/cache/me/mediamill/servers');
  expect(serverCacheDir({})).toMatch(/\/\.cache\/mediamill\/servers$/);
});
