/** Documents say what is true: the settings, the links, the commands. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { configTable, profileFieldsTable, profileJsonSchema, shippedProfilesTable } from '../../src/config/index.js';
import { SETTINGS } from '../../src/config/settings.js';
import { GRPC_CODES } from '../../src/metrics/labels.js';
import { ingestFieldsTable } from '../../src/contracts/ingest-line.js';
import { ERRORS } from '../../src/contracts/errors.js';
import { REFUSALS } from '../../src/contracts/events.js';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const adrs = readdirSync(join(root, 'docs/adr')).sort();
const pages = [
  'README.md',
  'CHANGELOG.md',
  'docs/api.md',
  'docs/architecture.md',
  'docs/client.md',
  'docs/deadlines.md',
  'docs/formats.md',
  'docs/ingest.md',
  'docs/metrics.md',
  'docs/operations.md',
  'docs/profiles.md',
  'docs/publishing.md',
  ...adrs.map((adr) => `docs/adr/${adr}`),
];

const between = (file: string, marker: string): string | undefined =>
  new RegExp(`<!-- ${marker}:start -->\\n([^]*)<!-- ${marker}:end -->`).exec(read(file))?.[1]?.trim();

it('has the tables and the schema that the code says (else: npm run build && node scripts/docs.mjs)', () => {
  expect(between('README.md', 'config')).toBe(configTable().trim());
  expect(between('docs/profiles.md', 'shipped')).toBe(shippedProfilesTable());
  expect(between('docs/profiles.md', 'fields')).toBe(profileFieldsTable());
  expect(between('docs/ingest.md', 'lines')).toBe(ingestFieldsTable());
  expect(read('profiles/schema.json')).toBe(profileJsonSchema());
});

describe.each(pages)('%s', (page) => {
  const text = read(page);

  it('links to what exists', () => {
    for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (!/^https?:/.test(link)) expect([link, existsSync(join(root, dirname(page), link))]).toEqual([link, true]);
    }
  });

  it('names source files and scripts that exist', () => {
    for (const [, file = ''] of text.matchAll(/`((?:src|test|docs|deploy|scripts|bench)\/[\w./-]+)`/g)) {
      expect([file, existsSync(join(root, file))]).toEqual([file, true]);
    }
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const [, script = ''] of text.matchAll(/`npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(script);
  });

  it('names settings and error codes that exist', () => {
    const groups = [...new Set(SETTINGS.map(({ group }) => group))].join('|');
    const names = SETTINGS.map(({ name }) => name);
    for (const [, name = ''] of text.matchAll(new RegExp(`\`((?:${groups})\\.(?!ts\`)\\w+)\``, 'g'))) {
      // Topics look like settings.
      if (!['media.uploads', 'media.results'].includes(name)) expect(names).toContain(name);
    }
    for (const [, code = ''] of text.matchAll(/`([A-Z]+_[A-Z]+)`/g)) {
      const known = [
        ...Object.keys(ERRORS),
        ...Object.keys(REFUSALS),
        ...GRPC_CODES,
        ...SETTINGS.map(({ env }) => env),
      ];
      if (!/^(TEMPORAL|MEDIAMILL)_/.test(code)) expect(known).toContain(code);
    }
  });
});

it('numbers the decisions without gaps, each with context, decision and consequences', () => {
  expect(adrs.map((adr) => Number(adr.slice(0, 4)))).toEqual(adrs.map((_, index) => index + 1));
  for (const adr of adrs) {
    const text = read(`docs/adr/${adr}`);
    expect(text).toMatch(new RegExp(`^# ${adr.slice(0, 4)}\\. `));
    for (const part of ['## Context', '## Decision', '## Consequences']) expect(text).toContain(part);
  }
});
