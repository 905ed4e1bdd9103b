import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadProfiles } from '../../src/config/profiles.js';
import { loadTargets, type Targets } from '../../src/config/targets.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-targets-'));
});
afterAll(() => rm(dir, { recursive: true }));

const none = loadProfiles('');

async function load(yaml: string, env: NodeJS.ProcessEnv = {}, profiles = none): Promise<Targets> {
  const path = join(dir, 'targets.yaml');
  await writeFile(path, yaml);
  return loadTargets(path, profiles, env);
}

const ARCHIVE = `
archive:
  type: bucket
  endpoint: https://s3.example
  accessKey: env:ARCHIVE_KEY
  secretKey: env:ARCHIVE_SECRET
  bucket: archive
`;

test('secrets come from the environment', async () => {
  const targets = await load(ARCHIVE, { ARCHIVE_KEY: 'k', ARCHIVE_SECRET: 's' });
  expect(targets.get('archive')).toMatchObject({ type: 'bucket', accessKey: 'k', secretKey: 's' });
});

test('every mistake is named, and no value that may be a secret', async () => {
  const yaml = `${ARCHIVE}
Bad Name: { type: simulated, startSeconds: 1 }
ftp: { type: ftp }
cdn: { type: purge, url: not-a-url, metod: POST }
told: { type: webhook, url: 'https://x.example/', secret: 12345678 }
`;
  const failure: Error = await load(yaml, { ARCHIVE_KEY: 'k' }).then(
    () => new Error('it was accepted'),
    (error: Error) => error,
  );
  const said = failure.message;
  expect(said).toContain('archive: ARCHIVE_SECRET is not set');
  expect(said).toContain('Bad Name: a name has');
  expect(said).toContain('ftp: type is one of bucket, webhook, purge, simulated');
  expect(said).toContain('cdn: unknown field metod, did you mean method?');
  expect(said).toContain('cdn: expected a text for url');
  expect(said).toContain('told: expected a text for secret');
  expect(said).not.toContain('12345678');
});

test('a profile can not name a target that is not there; without a file there are none', async () => {
  const own = await mkdtemp(join(dir, 'profiles-'));
  await writeFile(join(own, 'onward.yaml'), 'extends: default\ntargets: [{ name: archive, required: true }]\n');
  const profiles = loadProfiles(own);
  expect(profiles.get('onward').targets).toEqual([{ name: 'archive', required: true }]);
  expect(() => loadTargets('', profiles, {})).toThrow('Profile onward: there is no target archive');
  expect(loadTargets('', none).size).toBe(0);
});

test('a file that is not there is a mistake', () => {
  expect(() => loadTargets(join(dir, 'nowhere.yaml'), none)).toThrow('Can not read');
});
