import type { Command } from 'commander';
import { down } from './stack-control.js';

export function registerDown(program: Command): void {
  program
    .command('down')
    .description('drain the workers and stop all servers; their state stays')
    .action(async () => {
      console.log((await down()) ? 'stopped' : 'not running');
    });
}
