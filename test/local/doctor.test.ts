import { describe, expect, it } from '@jest/globals';
import { programs, serverCheck, versionIn } from '../../src/local/doctor.js';
import { describeChecks } from '../../src/starters/cli/doctor.js';

const needed = (...args: Parameters<typeof programs>) =>
  programs(...args)
    .filter((one) => one.needed)
    .map(({ command }) => command);

describe('what is needed', () => {
  it('with all servers in the cache: Java, but neither Go nor Maven', () => {
    expect(needed([], true)).toEqual(['node', 'npm', 'java', 'ffmpeg', 'ffprobe', 'convert']);
  });
  it('what a missing server is built with', () => {
    expect(needed(['minio', 'kafka'], true)).toEqual(expect.arrayContaining(['go', 'mvn']));
  });
  it('no Java for a Kafka of others', () => {
    expect(needed([], false)).not.toContain('java');
  });
});

it.each([
  ['go version go1.26.8 linux/amd64', '1.26.8'],
  ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', '17.0.15'],
  ['\u001b[1mApache Maven 3.8.7\u001b[m\nMaven home', '3.8.7'],
  ['ffmpeg version 5.1.9-0+deb12u1 Copyright', '5.1.9-0+deb12u1'],
  ['Version: ImageMagick 6.9.11-60 Q16', '6.9.11-60'],
  ['no number\nat all', 'no number'],
])('finds the version in %j', (text, version) => {
  expect(versionIn(text)).toBe(version);
});

it('says what is missing and the command that brings it', () => {
  const missing = serverCheck('kafka', '4.1.1', {
    how: 'missing',
    problem: 'kafka needs java: apt-get install -y openjdk-17-jre-headless',
  });
  expect(missing).toMatchObject({ ok: false, needed: true, fix: 'apt-get install -y openjdk-17-jre-headless' });
  expect(serverCheck('minio', 'v0', { how: 'build', path: '/x' })).toMatchObject({ ok: true });
  const text = describeChecks([
    missing,
    { name: 'bwrap', ok: false, needed: false, found: 'missing', fix: 'apt-get install bubblewrap' },
  ]);
  expect(text.split('\n').map((line) => line.trim())).toEqual([
    'MISSING  server kafka  kafka needs java: apt-get install -y openjdk-17-jre-headless',
    'apt-get install -y openjdk-17-jre-headless',
    'note     bwrap         missing',
    'apt-get install bubblewrap',
  ]);
});
