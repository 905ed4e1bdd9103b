import type { Command } from 'commander';
import { loadConfig } from '../../config/index.js';
import { printProgress } from '../../local/progress.js';
import { AlreadyRunning, stateDirOf, type StackState } from '../../local/state.js';
import { supervise } from '../../local/supervisor.js';
import { ensureUp, runningStack } from './stack-control.js';
import { describeStatus, statusOf } from './status.js';

interface UpOptions {
  readonly detach?: boolean;
  readonly serversOnly?: boolean;
}

export function registerUp(program: Command): void {
  program
    .command('up')
    .description(
      'start Temporal, Kafka, MinIO, PostgreSQL, the workers, the Kafka starter, the HTTP and the gRPC server on this machine',
    )
    .option('-d, --detach', 'return when all is ready; it goes on in the background')
    .option('--servers-only', 'none of our own processes')
    .action(async ({ detach = false, serversOnly = false }: UpOptions) => {
      if (detach) await upDetached(serversOnly);
      else await upHere(serversOnly);
    });
}

const print = (state: StackState): void => console.log(describeStatus(statusOf(loadConfig(), state)));

async function upDetached(bare: boolean): Promise<void> {
  const running = runningStack();
  if (running) console.error(new AlreadyRunning(running.supervisor.pid).message);
  const { startedHere, state } = await ensureUp({ bare });
  // What we started has printed it, and we have shown what it printed.
  if (!startedHere) print(state);
}

async function upHere(bare: boolean): Promise<void> {
  const config = loadConfig();
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Asked twice: at once. Servers and workers die with us.
      if (abort.signal.aborted && signal === 'SIGINT') process.exit(130);
      abort.abort();
    });
  }
  await supervise(config, {
    bare,
    progress: printProgress((line) => console.log(line)),
    signal: abort.signal,
    onReady: (state) => {
      print(state);
      console.log(
        `\nEverything is up. Ctrl-C or \`mediamill down\` ends it; its state stays in ${stateDirOf(config)}.`,
      );
    },
  });
  // What did not start in time when it was stopped has handles open, and must not keep us.
  process.exit(0);
}
