import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect } from '@jest/globals';

import { openStudio, type Studio } from './studio.js';

/** A studio for all tests of a file. It must leave nothing behind. */
export function useStudio(): Studio & { readonly dir: string; readonly scratch: string } {
  let [dir, scratch] = ['', ''];
  let studio: Studio;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'mediamill-studio-'));
    scratch = await mkdtemp(join(dir, 'scratch-'));
    studio = await openStudio(scratch);
  });
  afterAll(async () => {
    await studio.tools.close();
    expect(await readdir(scratch)).toEqual([]);
    await rm(dir, { recursive: true });
  });
  return {
    get tools() {
      return studio.tools;
    },
    /** For the tests' own files. */
    get dir() {
      return dir;
    },
    /** For further studios. */
    get scratch() {
      return scratch;
    },
    process: (...args) => studio.process(...args),
  };
}
