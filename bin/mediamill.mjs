#!/usr/bin/env node
// The command line. In a checkout it first brings itself up to date: npm packages, dist/ and, for
// commands that process media here, Debian's tools.
import { resolve } from 'node:path';
import { ensureCode, ensureMediaTools, orExplain } from '../scripts/bootstrap.mjs';

const [command, ...rest] = process.argv.slice(2);
// `npm run` changes to the project's folder, and takes `--keep` for a setting of its own.
const viaNpm = process.env.npm_lifecycle_event === command;
const from = (viaNpm && process.env.INIT_CWD) || process.cwd();
const args = viaNpm ? rest.map((arg) => (arg.startsWith('-') ? arg : resolve(from, arg))) : rest;
if (viaNpm && process.env.npm_config_keep && !args.includes('--keep')) args.push('--keep');

await orExplain(async () => {
  await ensureCode();
  if (command === 'up' || command === 'demo') await ensureMediaTools();
  const { run } = await import('../dist/starters/cli/main.js');
  await run(command === undefined ? [] : [command, ...args]);
});
