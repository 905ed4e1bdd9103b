import type { Command } from 'commander';

import { initServers } from '../../local/init.js';
import { cliConfig } from './config.js';

export function registerInit(program: Command): void {
  program
    .command('init')
    .description('prepare the configured servers: tables, search attributes, topics, buckets; may run again')
    .option('--no-announce', "leave the store's notifications alone: something else sends the upload events")
    .action(({ announce }: { announce: boolean }) =>
      initServers(cliConfig(), { announce, report: (step) => console.log(step) }),
    );
}
