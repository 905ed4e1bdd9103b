/** The command line: one module per command. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { plain } from './format.js';

type Register = (program: Command) => void;

const inspect = async (): Promise<Register> => (await import('./inspect.js')).registerInspect;

/** What a command needs is read when it is asked for: Temporal's client, the store's and the database's are a second of work. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  up: async () => (await import('./up.js')).registerUp,
  down: async () => (await import('./down.js')).registerDown,
  status: async () => (await import('./status.js')).registerStatus,
  doctor: async () => (await import('./doctor.js')).registerDoctor,
  demo: async () => (await import('./demo.js')).registerDemo,
  submit: async () => (await import('./submit.js')).registerSubmit,
  ingest: async () => (await import('./ingest.js')).registerIngest,
  list: inspect,
  show: inspect,
  cancel: inspect,
  similar: async () => (await import('./similar.js')).registerSimilar,
  verify: async () => (await import('./verify.js')).registerVerify,
  repair: async () => (await import('./repair.js')).registerRepair,
  dlq: async () => (await import('./dlq.js')).registerDlq,
  quarantine: async () => (await import('./quarantine.js')).registerQuarantine,
  init: async () => (await import('./init.js')).registerInit,
  keys: async () => (await import('./keys.js')).registerKeys,
  tenants: async () => (await import('./tenants.js')).registerTenants,
  hold: async () => (await import('./hold.js')).registerHold,
  sweep: async () => (await import('./sweep.js')).registerSweep,
  'rebuild-catalogue': async () => (await import('./rebuild.js')).registerRebuild,
};

/** For help, and for a name that there is not, all of them. */
async function commandsFor(name: string | undefined): Promise<Iterable<Register>> {
  const wanted = name !== undefined && Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS);
  return new Set(await Promise.all(wanted.map((load) => load())));
}

/** @param args without the program's name. Failures become a sentence on standard error and exit code 1. */
export async function run(args: readonly string[]): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const program = new Command('mediamill')
    .description('Turns every upload into media that people can watch or look at.')
    .version(version)
    .showHelpAfterError('(`mediamill --help` lists what there is)');
  for (const register of await commandsFor(args[0])) register(program);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(message.split('\n').map(plain).join('\n'));
    if (process.env.LOG_LEVEL === 'debug') console.error(error);
    process.exitCode = 1;
  }
}
