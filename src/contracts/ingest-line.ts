/** The lines that an ingest reads: one JSON object each. */
import { Type, type Static, type TObject } from 'typebox';
import { Compile } from 'typebox/compile';

import type { Job, MediaKind, Priority } from './assets.js';
import { MAX_PUBLICATION_TIMEOUT, problemOfWishes } from './deadlines.js';
import { check } from './event-schemas.js';
import type { IngestItem } from './ingest.js';

const NAME = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';
const ID = '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$';
const MAX_METADATA_BYTES = 4096;
/** Seconds: a day. */
const MAX_ENCODING_TIME = 86_400;

const name = (description: string) => Type.Optional(Type.String({ pattern: NAME, description }));
const instant = (description: string) => Type.Optional(Type.String({ description }));

export const IngestLineSchema = Type.Object(
  {
    id: Type.Optional(
      Type.String({
        pattern: ID,
        description:
          'What it is called: up to 128 letters, digits and `._:-`. Absent: its line number and its content.',
      }),
    ),
    file: Type.Optional(
      Type.String({ minLength: 1, maxLength: 4096, description: 'Path of a real file, which is really encoded.' }),
    ),
    encodingTime: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: MAX_ENCODING_TIME,
        description: 'Instead of a file: seconds that a simulated encoder takes, at most a day.',
      }),
    ),
    publicationTimeout: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: MAX_PUBLICATION_TIMEOUT,
        description: 'Seconds from the start of encoding within which it is to be published, at most 30 days.',
      }),
    ),
    publishBy: instant('When it is to be published: date, time and zone, ISO 8601.'),
    publishNotBefore: instant('An embargo: it is not published before.'),
    target: name('Configured target that it is delivered to. Absent: `--target`.'),
    tenant: name('Tenant that it belongs to. Absent: `--tenant`.'),
    priority: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 5, description: '1 is the most urgent, 5 the least. Absent: 3.' }),
    ),
    profile: name('Of a file: its processing profile.'),
    contentType: Type.Optional(Type.String({ maxLength: 500, description: 'Of a file: a hint.' })),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Of a file: facts of your own, at most 4 KB together.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type IngestLine = Static<typeof IngestLineSchema>;

const compiled = Compile(IngestLineSchema);
const FIELDS = Object.keys(IngestLineSchema.properties);
const OF_FILES = ['profile', 'contentType', 'metadata'] as const;

export type ParsedLine =
  | { readonly ok: true; readonly line: IngestLine }
  /** @property problem for people */
  | { readonly ok: false; readonly problem: string };

/** Never throws. A deadline in the past is no problem of the line. */
export function parseIngestLine(text: string): ParsedLine {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'not JSON' };
  }
  return checkIngestLine(json);
}

export function checkIngestLine(json: unknown): ParsedLine {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { ok: false, problem: 'not an object' };
  const unknown = Object.keys(json).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) return { ok: false, problem: `no such field: ${unknown.slice(0, 60)}` };
  const checked = check(compiled, json);
  if (!checked.ok) return { ok: false, problem: checked.detail };
  const problem = problemOf(checked.value);
  return problem === undefined ? { ok: true, line: checked.value } : { ok: false, problem };
}

function problemOf(line: IngestLine): string | undefined {
  const isFile = line.file !== undefined;
  if (isFile === (line.encodingTime !== undefined)) return 'either file or encodingTime is needed';
  const ofFile = OF_FILES.find((field) => line[field] !== undefined);
  if (!isFile && ofFile) return `${ofFile} is for files`;
  const bytes = Object.entries(line.metadata ?? {}).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (bytes > MAX_METADATA_BYTES) return `metadata: ${bytes} characters, at most ${MAX_METADATA_BYTES}`;
  return problemOfWishes(line);
}

export interface ItemDefaults {
  readonly ingest: string;
  readonly tenant: string;
  readonly target?: string | undefined;
}

/** @param made of a file: the job that its upload leads to */
export function itemOf(
  line: IngestLine,
  id: string,
  { ingest, tenant, target }: ItemDefaults,
  made?: { readonly job: Job; readonly media: MediaKind },
): IngestItem {
  const { publishBy, publicationTimeout, publishNotBefore } = line;
  return {
    id,
    ingest,
    work: made ? { kind: 'file', ...made } : { kind: 'simulated', seconds: line.encodingTime ?? 0 },
    tenant: line.tenant ?? tenant,
    priority: (line.priority ?? 3) as Priority,
    publishBy,
    publicationTimeout,
    publishNotBefore,
    target: line.target ?? target,
  };
}

/** For docs/ingest.md. */
export function ingestFieldsTable(schema: TObject = IngestLineSchema): string {
  const rows = Object.entries(schema.properties).map(([field, value]) => {
    const { type, description } = value as { type?: string; description?: string };
    return [`\`${field}\``, type ?? 'object', description ?? ''];
  });
  const table = [['field', 'type', 'meaning'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(table[0]!), rule, ...table.slice(1).map(line)].join('\n');
}
