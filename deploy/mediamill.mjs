#!/usr/bin/env node
// The command line in the container image: all is built there, nothing has to be brought up to date first.
import { run } from '../dist/starters/cli/main.js';

await run(process.argv.slice(2));
