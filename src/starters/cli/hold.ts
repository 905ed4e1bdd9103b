/** `hold`: assets that nobody and nothing may delete. */
import type { Command } from 'commander';

import { connect } from '../../catalogue/database.js';
import { setHold } from '../../catalogue/lifecycle.js';
import { cliConfig } from './config.js';
import { withRecords } from './session.js';

export function registerHold(program: Command): void {
  program
    .command('hold')
    .description('put assets on legal hold: nobody deletes them, nor does retention')
    .argument('<asset...>', 'asset ids')
    .option('--release', 'end it')
    .action((ids: string[], { release = false }: { release?: boolean }) => {
      const config = cliConfig();
      return withRecords(config, async ({ catalogue }) => {
        const db = connect(config.catalogue);
        try {
          for (const id of ids) {
            const tenant = (await catalogue.find(id))?.tenant;
            const row = tenant === undefined ? undefined : await setHold(db, tenant, id, !release);
            if (!row) throw new Error(`There is no asset ${id}.`);
            console.log(`${row.id} is ${row.legalHold ? 'on legal hold' : 'not on legal hold'}`);
          }
        } finally {
          await db.destroy();
        }
      });
    });
}
