import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Command } from 'commander';

import type { AssetDocument } from '../../contracts/assets.js';
import type { Config } from '../../config/schema.js';
import { makeSamples } from '../../local/samples.js';
import { cliConfig } from './config.js';
import { decodeAll } from './decode-check.js';
import { follow, type Followed } from './follow.js';
import { duration, plain } from './format.js';
import { Lines } from './lines.js';
import { httpUrl, playUrl } from './play-url.js';
import { withSession } from './session.js';
import { down, ensureUp } from './stack-control.js';
import { upload, type Upload } from './upload.js';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('bring everything up, process a video and a photo, prove the result by decoding it')
    .argument('[file...]', 'files to take instead of the samples')
    .option('--keep', 'leave everything running')
    .action(async (files: string[], { keep }: { keep?: boolean }) => {
      process.exitCode = (await demo(files, keep ?? false)) ? 0 : 1;
    });
}

async function demo(files: readonly string[], keep: boolean): Promise<boolean> {
  const started = Date.now();
  const { startedHere } = await ensureUp();
  const config = cliConfig();
  console.log(`\nThe page: ${httpUrl(config)}/\n`);
  const samples = await mkdtemp(join(tmpdir(), 'mediamill-demo-'));
  try {
    if (files.length === 0) console.log('making a 20 s 1080p video and a 12-megapixel photo');
    const ok = await processAll(config, files.length > 0 ? files : await makeSamples(samples));
    console.log(`\n${ok ? 'All good' : 'NOT good'}, ${duration((Date.now() - started) / 1000)} in all.`);
    return ok;
  } finally {
    await rm(samples, { recursive: true });
    if (keep)
      console.log('Everything is still running: `npx mediamill status`, and `npx mediamill down` when you are done.');
    else if (startedHere) {
      await down();
      console.log('With `npm run demo -- --keep` it stays, to be watched.');
    }
  }
}

async function processAll(config: Config, files: readonly string[]): Promise<boolean> {
  return withSession(config, async (session) => {
    const uploads: Upload[] = [];
    for (const file of files) uploads.push(await upload(session, file, {}));
    const lines = new Lines(process.stdout);
    const followed = await follow(
      session,
      uploads,
      (one, text) => lines.set(one.name, uploads.indexOf(one), text),
      (one) => lines.add(`${one.name}  can be watched: ${playUrl(config, one.assetId)}`),
    );
    let ok = true;
    for (const one of followed) ok = (await report(config, one)) && ok;
    return ok;
  });
}

async function report(config: Config, { upload: { name, workflowId }, document }: Followed): Promise<boolean> {
  console.log(`\n${plain(name)}`);
  console.log(`  workflow  ${workflowPage(config, workflowId)}`);
  if (document?.state !== 'ready') return false;
  if (document.playback.hls) console.log(`  watch     ${playUrl(config, document.id)}`);
  if (document.playback.poster) console.log(`  poster    ${document.playback.poster}`);
  return showRenditions(document);
}

async function showRenditions(document: AssetDocument): Promise<boolean> {
  const checked = await decodeAll(document);
  const width = Math.max(...checked.map(({ name }) => name.length));
  for (const { name, facts, problem } of checked) {
    const url = document.renditions.find((rendition) => rendition.name === name)?.url ?? '';
    console.log(`  ${problem ? 'BAD' : 'ok '}  ${name.padEnd(width)}  ${problem ?? facts}  ${url}`);
  }
  return checked.length > 0 && checked.every(({ problem }) => problem === undefined);
}

function workflowPage({ temporal }: Config, workflowId: string): string {
  return `${temporal.uiUrl}/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(workflowId)}`;
}
