/** The process of `bareSharp`: reads its job from standard input, writes into its current folder, prints seconds. */
import { text } from 'node:stream/consumers';

import pLimit from 'p-limit';
import sharp, { type Sharp } from 'sharp';

import type { ImageVariant } from '../../src/contracts/image.js';
import { encoded } from '../../src/tools/images/encode.js';
import type { BareJob } from './bare-images.js';

const { file, count, jobs, variants, way } = JSON.parse(await text(process.stdin)) as BareJob;

const resized = (image: Sharp, { width, height, fit }: ImageVariant): Sharp =>
  image.resize(width, height, { fit: fit === 'inside' ? 'fill' : fit });

async function each(n: number): Promise<void> {
  await Promise.all(
    variants.map((variant) =>
      encoded(resized(sharp(file).autoOrient(), variant), variant, variant.quality).toFile(`${n}-${variant.name}`),
    ),
  );
}

async function shared(n: number): Promise<void> {
  const largest = variants.reduce((a, b) => (a.width * a.height >= b.width * b.height ? a : b));
  const { data, info } = await resized(sharp(file).autoOrient(), largest).raw().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  await Promise.all(
    variants.map((variant) =>
      encoded(resized(sharp(data, { raw }), variant), variant, variant.quality).toFile(`${n}-${variant.name}`),
    ),
  );
}

const make = way === 'each' ? each : shared;
await make(-1);
const limit = pLimit(jobs);
const started = performance.now();
await Promise.all(Array.from({ length: count }, (_, n) => limit(make, n)));
console.log((performance.now() - started) / 1000);
