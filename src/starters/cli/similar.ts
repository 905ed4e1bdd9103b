/** `similar`: images of the same tenant that look like one. */
import { InvalidArgumentError, type Command } from 'commander';

import type { AssetRow, Catalogue, SimilarAsset } from '../../catalogue/catalogue.js';
import { cliConfig } from './config.js';
import { json, table } from './format.js';
import { withRecords } from './session.js';

/** Resized, recompressed and slightly cropped copies differ in few bits; unrelated pictures in about 32. */
const DISTANCE = 8;

interface SimilarOptions {
  readonly distance: number;
  readonly limit: number;
  readonly json?: boolean;
}

export function registerSimilar(program: Command): void {
  program
    .command('similar')
    .description('published images of the same tenant that look like this one, nearest first')
    .argument('<asset>', 'asset id or workflow id')
    .option('--distance <bits>', 'differing bits of the 64 of the perceptual hash, at most', number(0, 64), DISTANCE)
    .option('--limit <n>', 'how many', number(1, 1000), 20)
    .option('--json', 'print one JSON object per asset')
    .action((id: string, options: SimilarOptions) =>
      withRecords(cliConfig(), async ({ catalogue }) => {
        const found = await similarTo(catalogue, id, options);
        if (options.json) return found.forEach((one) => console.log(json(described(one))));
        if (found.length === 0) console.log('no image looks like it');
        else console.log(listing(found));
      }),
    );
}

export interface Found extends SimilarAsset {
  /** The uploaded bytes are the same. */
  readonly same: boolean;
}

/** @throws Error, for people, when there is no such image */
export async function similarTo(
  catalogue: Pick<Catalogue, 'find' | 'findByWorkflow' | 'findSimilar'>,
  id: string,
  { distance, limit }: Pick<SimilarOptions, 'distance' | 'limit'>,
): Promise<Found[]> {
  const row = await (id.includes('/') ? catalogue.findByWorkflow(id) : catalogue.find(id));
  if (!row) throw new Error(`There is no asset ${id}.`);
  const image = row.document?.image;
  if (!image) throw new Error(`Asset ${row.id} has no perceptual hash: it is no published image.`);
  // One more: it looks like itself.
  const found = await catalogue.findSimilar(row.tenant, image.perceptualHash, distance, limit + 1);
  return found
    .filter(({ asset }) => asset.id !== row.id)
    .slice(0, limit)
    .map((one) => ({ ...one, same: shaOf(one.asset) === image.sha256 }));
}

const shaOf = ({ document }: AssetRow): string | undefined => document?.image?.sha256;

const described = ({ asset, distance, same }: Found) => ({
  ...{ id: asset.id, distance, same, bucket: asset.bucket, key: asset.key },
  thumbnail: thumbnailOf(asset),
});

const thumbnailOf = ({ document }: AssetRow): string | undefined =>
  document?.renditions.find(({ type }) => type === 'thumbnail')?.url;

function listing(found: readonly Found[]): string {
  const rows = found.map(({ asset, distance, same }) => [
    ...[asset.id, String(distance), same ? 'yes' : '-', asset.createdAt.toISOString(), asset.key],
  ]);
  return table([['ASSET', 'BITS', 'SAME FILE', 'SINCE', 'SOURCE'], ...rows]);
}

function number(least: number, most: number) {
  return (text: string): number => {
    const value = /^\d{1,4}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    return value;
  };
}
