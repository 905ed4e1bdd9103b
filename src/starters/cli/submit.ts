import { accessSync, constants } from 'node:fs';

import { InvalidArgumentError, type Command } from 'commander';

import type { AssetDocument } from '../../contracts/assets.js';
import { cliConfig } from './config.js';
import { documentOf } from './document.js';
import { follow } from './follow.js';
import { json, plain } from './format.js';
import { Lines } from './lines.js';
import { playUrl } from './play-url.js';
import { withSession, type Session } from './session.js';
import { upload, type Upload, type UploadOptions } from './upload.js';

interface SubmitOptions extends UploadOptions {
  readonly wait?: boolean;
  readonly json?: boolean;
}

export function registerSubmit(program: Command): void {
  program
    .command('submit')
    .description('put files into the uploads bucket; Kafka and Temporal take it from there')
    .argument('<file...>', 'media files')
    .option('--profile <name>', 'processing profile')
    .option('--priority <1-5>', '1 is the most urgent', priority)
    .option('--publish-by <time>', 'when it is needed: 2026-01-31T20:15:00Z')
    .option('--publication-timeout <seconds>', 'needed within so many seconds from the start of encoding')
    .option('--publish-not-before <time>', 'an embargo: nobody sees anything of it before')
    .option('--tenant <name>', 'tenant that the assets belong to')
    .option('--wait', 'show progress; exit with 0 only when all are ready')
    .option('--json', 'print one JSON object per asset')
    .action(async (files: string[], options: SubmitOptions) => {
      for (const file of files) accessSync(file, constants.R_OK);
      const ok = await withSession(cliConfig(), (session) => submit(session, files, options));
      process.exitCode = ok ? 0 : 1;
    });
}

async function submit(session: Session, files: readonly string[], options: SubmitOptions): Promise<boolean> {
  const uploads: Upload[] = [];
  for (const file of files) uploads.push(await upload(session, file, options));

  if (!options.wait) {
    for (const one of uploads)
      console.log(options.json ? json(received(one)) : `${plain(one.name)}  ${one.assetId}  ${one.workflowId}`);
    return true;
  }
  // With --json, standard output is for the documents alone.
  const lines = new Lines(options.json ? process.stderr : process.stdout);
  const followed = await follow(
    session,
    uploads,
    (one, text) => lines.set(one.name, uploads.indexOf(one), text),
    (one) => lines.add(`${one.name}  can be watched: ${playUrl(session.config, one.assetId)}`),
  );
  if (options.json) {
    for (const one of followed) console.log(json(one.document ?? (await lastKnown(session, one.upload))));
  }
  return followed.every(({ document }) => document?.state === 'ready');
}

/** Of an upload that has not come to an end of its own. */
async function lastKnown({ catalogue }: Session, one: Upload): Promise<AssetDocument> {
  const row = await catalogue.find(one.assetId);
  return row ? documentOf(row) : received(one);
}

function received({ assetId, workflowId, bucket, key, at }: Upload): AssetDocument {
  const uploadedAt = new Date(at).toISOString();
  return {
    id: assetId,
    workflowId,
    kind: null,
    state: 'received',
    source: { bucket, key },
    renditions: [],
    playback: {},
    timings: { uploadedAt, startedAt: uploadedAt },
  };
}

function priority(value: string): string {
  if (!/^[1-5]$/.test(value)) throw new InvalidArgumentError('Expected a whole number from 1 to 5.');
  return value;
}
