/** Writes what documents say of settings, profiles and metrics, between their markers. Reads the build: `npm run build` first. */
import { readFile, writeFile } from 'node:fs/promises';
import {
  configExample,
  configTable,
  profileFieldsTable,
  profileJsonSchema,
  shippedProfilesTable,
} from '../dist/config/index.js';
import { ingestFieldsTable } from '../dist/contracts/ingest-line.js';
import { bucketsTable, labelsTable, metricsTable } from '../dist/metrics/describe.js';

const file = (name) => new URL(`../${name}`, import.meta.url);

async function fill(name, marker, content) {
  const text = await readFile(file(name), 'utf8');
  const between = new RegExp(`(?<=<!-- ${marker}:start -->\\n)[^]*(?=<!-- ${marker}:end -->)`);
  if (!between.test(text)) throw new Error(`${name} has no markers ${marker}`);
  await writeFile(
    file(name),
    text.replace(between, () => `\n${content.trim()}\n\n`),
  );
}

await fill('README.md', 'config', configTable());
await writeFile(file('config/example.yaml'), configExample());
await writeFile(file('profiles/schema.json'), profileJsonSchema());
await fill('docs/profiles.md', 'shipped', shippedProfilesTable());
await fill('docs/profiles.md', 'fields', profileFieldsTable());
await fill('docs/ingest.md', 'lines', ingestFieldsTable());
await fill('docs/metrics.md', 'metrics', metricsTable());
await fill('docs/metrics.md', 'labels', labelsTable());
await fill('docs/metrics.md', 'buckets', bucketsTable());
