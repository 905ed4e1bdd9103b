// `npm test`: everything that the tests need, then jest. Arguments go to jest.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureCode, ensureMediaTools, Missing, orExplain, root, TEST_TOOLS } from './bootstrap.mjs';

/**
 * Which suites run beside how many others. Players play in real time, and a machine with no time for them makes them
 * stall; what causes faults encodes all the time; the others wait for servers more than they compute.
 */
const PHASES = [
  { suites: '--testPathPatterns=/test/players/', atOnce: 1 },
  { suites: '--testPathPatterns=/test/(faults|web)/', atOnce: 2 },
  { suites: '--testPathIgnorePatterns=/test/(players|faults|web)/', atOnce: 3 },
];
const OWN_AT_ONCE = 2;

/** Beside other suites, encoders that give way to everything would stand still for as long as those compute. */
const FAIR = { WORKERS_BULK_NICENESS: '3' };

let isStopped = false;

await orExplain(async () => {
  await ensureCode();
  await ensureMediaTools(TEST_TOOLS);
  await ensureServersBuilt();
  const own = process.argv.slice(2);
  const runs =
    own.length > 0
      ? [[`--maxWorkers=${OWN_AT_ONCE}`, ...own]]
      : PHASES.map(({ suites, atOnce }) => [`--maxWorkers=${atOnce}`, suites]);
  for (const args of runs) if (!isStopped) process.exitCode = (await jest(args)) || process.exitCode;
});

async function ensureServersBuilt() {
  const { ensureServers } = await import('../dist/local/build.js');
  const { printProgress } = await import('../dist/local/progress.js');
  const { SERVER_NAMES } = await import('../dist/local/servers/types.js');
  const { loadConfig } = await import('../dist/config/index.js');
  const { local } = loadConfig();
  await ensureServers(
    SERVER_NAMES,
    local,
    printProgress((line) => console.error(line)),
  ).catch((error) => {
    throw new Missing(error.message);
  });
}

function jest(args) {
  const options = [process.env.NODE_OPTIONS, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [join(root, 'node_modules/jest/bin/jest.js'), ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...FAIR, ...process.env, NODE_OPTIONS: options.filter(Boolean).join(' ') },
  });
  // Jest ends its servers when told to stop, so it must be told, and be waited for.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (isStopped = child.kill(signal)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
