/** schemathesis, which makes requests of an OpenAPI document, right ones and wrong ones, and judges the answers. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { serverCacheDir } from '../../src/local/find.js';

const run = promisify(execFile);
const VERSION = '4.32.5';

/** Installs it with pip into a virtual environment below the cache folder, once. @returns the program */
export async function ensureSchemathesis(): Promise<string> {
  const home = join(dirname(serverCacheDir()), 'bench', `schemathesis-${VERSION}`);
  const python = join(home, 'bin/python');
  const done = join(home, '.installed');
  if (!existsSync(done)) {
    await mkdir(dirname(home), { recursive: true });
    await run('python3', ['-m', 'venv', home]);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`]);
    await writeFile(done, '');
  }
  return join(home, 'bin/schemathesis');
}

/** It makes no bodies of types that it has never heard of. */
const HOOKS = `import schemathesis
from hypothesis import strategies

schemathesis.openapi.media_type("application/offset+octet-stream", strategies.binary(max_size=100))
`;

export interface ContractRun {
  /** Where the server listens. */
  readonly base: string;
  readonly key: string;
  /** For its report. */
  readonly dir: string;
  /** Requests of each operation, and kind. */
  readonly maxExamples: number;
  readonly seed: number;
  /** Contents of schemathesis.toml. */
  readonly settings: string;
  readonly args?: readonly string[];
}

/** @returns its exit code (0: no failure) and all that it said */
export async function checkContract(run: ContractRun): Promise<{ code: number | null; output: string }> {
  const program = await ensureSchemathesis();
  const settings = join(run.dir, 'schemathesis.toml');
  await writeFile(join(run.dir, 'hooks.py'), HOOKS);
  await writeFile(settings, `hooks = "hooks.py"\n${run.settings}`);
  const child = spawn(
    program,
    [
      ...['--config-file', settings, 'run', `${run.base}/openapi.json`, '--url', run.base],
      ...['--header', `Authorization: Bearer ${run.key}`, '--seed', `${run.seed}`],
      ...['--max-examples', `${run.maxExamples}`, '--generation-database', 'none', '--no-color', ...(run.args ?? [])],
    ],
    { cwd: run.dir, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, output };
}
