/** `sweep`: objects that no asset has, and assets that lack objects. */
import { InvalidArgumentError, type Command } from 'commander';

import type { Finding, SurveyContext } from '../../activities/housekeeping/findings.js';
import { mend, remedyOf, type Remedy } from '../../activities/housekeeping/mend.js';
import { survey } from '../../activities/housekeeping/survey.js';
import { connect } from '../../catalogue/database.js';
import { createLogger } from '../../logging/index.js';
import { createObjectStore } from '../../storage/index.js';
import { cliConfig } from './config.js';
import { count, json, plain, size } from './format.js';

interface SweepOptions {
  readonly dryRun?: boolean;
  readonly deep?: boolean;
  readonly olderThan: number;
  readonly json?: boolean;
}

export function registerSweep(program: Command): void {
  program
    .command('sweep')
    .description('find objects that no asset has, and assets that lack objects; remove the ones, make the others again')
    .option('--dry-run', 'change nothing; the exit code is 1 when there is something to do')
    .option('--deep', 'look for every single object of every asset: takes its time')
    .option(
      '--older-than <minutes>',
      'leave alone what is younger: it may have its row or its event on the way',
      minutes,
      60,
    )
    .option('--json', 'print one JSON object per finding')
    .action(async (options: SweepOptions) => {
      const config = cliConfig();
      const db = connect(config.catalogue);
      try {
        await sweep({ config, db, store: createObjectStore(config.storage) }, options);
      } finally {
        await db.destroy();
      }
    });
}

async function sweep(context: SurveyContext, { dryRun, deep, olderThan, json: asJson }: SweepOptions): Promise<void> {
  const { signal } = new AbortController();
  const quiet = createLogger({ ...context.config.log, level: 'error' }, { process: 'cli' }, process.stderr);
  let [found, left] = [0, 0];
  for await (const finding of survey(context, { minAgeSeconds: olderThan * 60, deep, signal })) {
    const remedy = dryRun ? remedyOf(finding) : await mend({ ...context, logger: quiet }, finding, signal);
    found += 1;
    if (remedy === 'left') left += 1;
    console.log(asJson ? json({ ...finding, remedy, dryRun: dryRun ?? false }) : sentence(finding, remedy, dryRun));
  }
  if (!asJson) console.log(found === 0 ? 'store and catalogue agree' : `${count(found, 'finding')}`);
  if (dryRun ? found > 0 : left > 0) process.exitCode = 1;
}

const WHAT_IS_DONE: Readonly<Record<Remedy, readonly [done: string, planned: string]>> = {
  removed: ['removed', 'would be removed'],
  announced: ['announced as an upload', 'would be announced as an upload'],
  reprocessed: ['is made again', 'would be made again'],
  noted: ['noted', 'would be noted'],
  left: ['left alone', 'would be left alone'],
};

function sentence(finding: Finding, remedy: Remedy, dryRun = false): string {
  return plain(`${subject(finding)}: ${WHAT_IS_DONE[remedy][dryRun ? 1 : 0]}`);
}

function subject(finding: Finding): string {
  switch (finding.what) {
    case 'outputs-without-row':
      return `outputs without an asset: ${finding.prefix} (${count(finding.objects, 'object')}, ${size(finding.bytes)})`;
    case 'left-overs':
      return `left over by asset ${finding.assetId}: ${count(finding.keys.length, 'object')}`;
    case 'upload-without-row':
      return `upload without an asset: ${finding.key}`;
    case 'upload-unwanted':
      return `upload that is not needed any more: ${finding.key}`;
    case 'foreign':
      return `not ours: ${finding.bucket}/${finding.key}`;
    case 'row-without-outputs':
      return `asset ${finding.assetId} lacks ${finding.keys.join(', ') || 'its outputs'}`;
    case 'row-without-source':
      return `asset ${finding.assetId} lacks its raw upload`;
  }
}

function minutes(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Expected minutes, 0 or more.');
  return value;
}
