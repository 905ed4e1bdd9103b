/** `show`, `list`, `cancel`. */
import { InvalidArgumentError, Option, type Command } from 'commander';

import type { AssetRow } from '../../catalogue/catalogue.js';
import type { AssetState } from '../../contracts/assets.js';
import { ASSET_STATES, FINAL_STATES } from '../../contracts/assets.js';
import type { ImageFacts } from '../../contracts/image.js';
import { liveProgress } from '../../client/progress.js';
import { cliConfig } from './config.js';
import { documentOf } from './document.js';
import { progressLine } from './follow.js';
import { count, json, plain, size, table } from './format.js';
import { ticketUrl } from './play-url.js';
import { withRecords, withSession, type Session } from './session.js';

export function registerInspect(program: Command): void {
  program
    .command('list')
    .description('newest assets first')
    .addOption(new Option('--state <state>', 'only those in this state').choices(ASSET_STATES))
    .option('--limit <n>', 'how many', limit, 20)
    .option('--json', 'print one JSON object per asset')
    .action((options: { state?: AssetState; limit: number; json?: boolean }) =>
      withRecords(cliConfig(), async ({ catalogue }) => {
        const rows = await catalogue.list({ limit: options.limit, state: options.state });
        if (options.json) return rows.forEach((row) => console.log(json(documentOf(row))));
        const lines = rows.map((row) => [row.id, row.state, row.kind ?? '-', row.updatedAt.toISOString(), row.key]);
        console.log(table([['ASSET', 'STATE', 'KIND', 'UPDATED', 'SOURCE'], ...lines]));
      }),
    );

  program
    .command('show')
    .description('what is known of one asset')
    .argument('<asset>', 'asset id or workflow id')
    .option('--json', 'print a JSON object')
    .action((id: string, options: { json?: boolean }) =>
      withSession(cliConfig(), (session) => show(session, id, options.json ?? false)),
    );

  program
    .command('cancel')
    .description('stop processing an asset; its unfinished outputs are removed')
    .argument('<asset>', 'asset id or workflow id')
    .action((id: string) =>
      withSession(cliConfig(), async (session) => {
        const workflowId = await workflowIdOf(session, id);
        await session.temporal.workflow.getHandle(workflowId).cancel();
        console.log(`cancelling ${workflowId}`);
      }),
    );
}

async function show(session: Session, id: string, asJson: boolean): Promise<void> {
  const row = await find(session, id);
  if (!row) throw new Error(`There is no asset ${id}.`);
  if (asJson) {
    console.log(json(documentOf(row)));
    return;
  }
  console.log(
    table([
      ['asset', row.id],
      ['state', row.state],
      ['kind', row.kind ?? '-'],
      ['source', `${row.bucket}/${row.key}`],
      ['workflow', row.workflowId],
      ...(plays(row) ? [['play', await ticketUrl(session.config, row)]] : []),
      ...Object.entries(row.document?.playback ?? {}).map(([what, url]) => [what, url]),
      ...(row.document?.image ? [['image', imageLine(row.document.image)]] : []),
    ]),
  );
  if (row.error) console.log(`\n${row.error.code}: ${plain(row.error.message)}`);
  if (!FINAL_STATES.includes(row.state)) {
    console.log(`\n${plain(progressLine(await liveProgress(session.temporal.workflow.getHandle(row.workflowId))))}`);
  }
  const renditions = row.document?.renditions ?? [];
  if (renditions.length > 0) {
    const rows = renditions.map((r) => [
      r.name,
      r.width ? `${r.width}x${r.height}` : '-',
      r.codecs ?? r.mime,
      r.bitrate ? `${Math.round(r.bitrate / 1000)} kb/s` : '-',
      size(r.bytes),
      r.url,
    ]);
    console.log(`\n${table([['RENDITION', 'SIZE', 'TYPE', 'BIT RATE', 'BYTES', 'URL'], ...rows])}`);
  }
  for (const part of row.document?.missing ?? []) console.log(plain(`missing ${part.name}: ${part.error.message}`));
  const history = await session.catalogue.history(row.id);
  console.log(
    `\n${table(history.map((line) => [line.at.toISOString(), line.to, line.by, line.error?.message ?? '']))}`,
  );
}

const imageLine = ({ width, height, format, frames, dominantColour, perceptualHash, sha256 }: ImageFacts): string =>
  [
    `${width}x${height} ${format}`,
    ...(frames > 1 ? [count(frames, 'frame')] : []),
    ...[dominantColour, `looks ${perceptualHash}`, `SHA-256 ${sha256}`],
  ].join(', ');

const plays = ({ kind, state, generation }: AssetRow): boolean =>
  kind !== null && kind !== 'image' && (generation > 0 || !FINAL_STATES.includes(state));

const find = ({ catalogue }: Session, id: string) =>
  id.includes('/') ? catalogue.findByWorkflow(id) : catalogue.find(id);

async function workflowIdOf(session: Session, id: string): Promise<string> {
  if (id.includes('/')) return id;
  const row = await find(session, id);
  if (!row) throw new Error(`There is no asset ${id}.`);
  return row.workflowId;
}

function limit(value: string): number {
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new InvalidArgumentError('Expected a whole number from 1 to 99999.');
  return Number(value);
}
