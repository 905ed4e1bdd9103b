/** The command line: one module per command. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { registerDemo } from './demo.js';
import { registerDlq } from './dlq.js';
import { registerDoctor } from './doctor.js';
import { registerDown } from './down.js';
import { plain } from './format.js';
import { registerHold } from './hold.js';
import { registerIngest } from './ingest.js';
import { registerInit } from './init.js';
import { registerInspect } from './inspect.js';
import { registerKeys } from './keys.js';
import { registerQuarantine } from './quarantine.js';
import { registerRebuild } from './rebuild.js';
import { registerRepair } from './repair.js';
import { registerSimilar } from './similar.js';
import { registerStatus } from './status.js';
import { registerSubmit } from './submit.js';
import { registerSweep } from './sweep.js';
import { registerTenants } from './tenants.js';
import { registerUp } from './up.js';
import { registerVerify } from './verify.js';

const COMMANDS = [
  ...[registerUp, registerDown, registerStatus, registerDoctor, registerDemo],
  ...[registerSubmit, registerIngest, registerInspect, registerSimilar, registerVerify, registerRepair],
  ...[registerDlq, registerQuarantine, registerInit],
  ...[registerKeys, registerTenants, registerHold, registerSweep, registerRebuild],
];

/** @param args without the program's name. Failures become a sentence on standard error and exit code 1. */
export async function run(args: readonly string[]): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const program = new Command('mediamill')
    .description('Turns every upload into media that people can watch or look at.')
    .version(version)
    .showHelpAfterError('(`mediamill --help` lists what there is)');
  for (const register of COMMANDS) register(program);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(message.split('\n').map(plain).join('\n'));
    if (process.env.LOG_LEVEL === 'debug') console.error(error);
    process.exitCode = 1;
  }
}
