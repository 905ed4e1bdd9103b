// `npm run conformance`, `npm run bench:...`: a measurement of bench/, on servers of its own.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureCode, ensureMediaTools, orExplain, root } from './bootstrap.mjs';

await orExplain(async () => {
  await ensureCode();
  await ensureMediaTools();
  const [name, ...args] = process.argv.slice(2);
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
  const { status } = spawnSync(process.execPath, [tsx, join(root, 'bench', `${name}.ts`), ...args], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
});
