/** `quarantine list | lift`: files that no decoder sees again, because it crashed on them or hung. */
import type { Command } from 'commander';

import type { QuarantineRow } from '../../catalogue/catalogue.js';
import { cliConfig } from './config.js';
import { json, table } from './format.js';
import { withRecords } from './session.js';

const MOST = 1000;

export function registerQuarantine(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .description('files on which decoders crashed or hung: they fail at once when they are uploaded again');

  quarantine
    .command('list')
    .description(`newest first, at most ${MOST}`)
    .option('--json', 'print one JSON object per file')
    .action((options: { json?: boolean }) =>
      withRecords(cliConfig(), async ({ catalogue }) => {
        const rows = await catalogue.listQuarantine(MOST);
        if (options.json) rows.forEach((row) => console.log(json(row)));
        else console.log(rows.length === 0 ? 'nothing is in quarantine' : listing(rows));
      }),
    );

  quarantine
    .command('lift')
    .description('let a file be decoded again; what failed already stays failed, upload it again')
    .argument('<sha256...>', 'as `quarantine list` prints it')
    .action((hashes: string[]) =>
      withRecords(cliConfig(), async ({ catalogue }) => {
        for (const sha256 of hashes) {
          if (!(await catalogue.liftQuarantine(sha256.toLowerCase())))
            throw new Error(`There is no ${sha256} in quarantine.`);
          console.log(`lifted ${sha256}`);
        }
      }),
    );
}

function listing(rows: readonly QuarantineRow[]): string {
  const lines = rows.map(({ sha256, verdict, since, tenant, assetId }) => [
    ...[sha256, verdict.code, since.toISOString(), tenant, assetId],
  ]);
  return table([['SHA-256', 'VERDICT', 'SINCE', 'TENANT', 'ASSET'], ...lines]);
}
