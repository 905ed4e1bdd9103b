/** An item of an ingest as an event on the uploads topic. */
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

import { check } from './event-schemas.js';
import type { Refusal } from './events.js';
import { checkIngestLine, type IngestLine, type ItemDefaults } from './ingest-line.js';

export const INGEST_EVENT_TYPE = 'io.mediamill.ingest.item';

const NAME = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

const schema = Compile(
  Type.Object({
    specversion: Type.Literal('1.0'),
    id: Type.String({ minLength: 1 }),
    source: Type.String({ minLength: 1 }),
    type: Type.Literal(INGEST_EVENT_TYPE),
    data: Type.Object({
      ingest: Type.String({ pattern: NAME }),
      id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$' }),
      tenant: Type.String({ pattern: NAME }),
      target: Type.Optional(Type.String({ pattern: NAME })),
      line: Type.Unknown(),
      object: Type.Optional(
        Type.Object({
          bucket: Type.String({ minLength: 3, maxLength: 63 }),
          key: Type.String({ minLength: 1, maxLength: 1024 }),
        }),
      ),
    }),
  }),
);

export interface IngestEventData extends ItemDefaults {
  readonly id: string;
  readonly line: IngestLine;
  /** Where the file was put. */
  readonly object?: { readonly bucket: string; readonly key: string } | undefined;
}

export type ParsedItemEvent =
  | { readonly ok: true; readonly data: IngestEventData }
  | { readonly ok: false; readonly reason: Refusal; readonly detail: string };

/** @returns undefined of what is no such event */
export function parseItemEvent(value: Uint8Array | null, maxBytes: number): ParsedItemEvent | undefined {
  if (!value || value.length > maxBytes) return undefined;
  const text = new TextDecoder().decode(value);
  // Most messages are uploads: they are parsed once.
  if (!text.includes(INGEST_EVENT_TYPE)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null || !('type' in json) || json.type !== INGEST_EVENT_TYPE)
    return undefined;
  const checked = check(schema, json);
  if (!checked.ok) return { ok: false, reason: 'EVENT_INVALID', detail: checked.detail };
  const { data } = checked.value;
  const line = checkIngestLine(data.line);
  if (!line.ok) return { ok: false, reason: 'EVENT_INVALID', detail: `data.line: ${line.problem}` };
  if ((line.line.file === undefined) !== (data.object === undefined))
    return { ok: false, reason: 'EVENT_INVALID', detail: 'data.object is needed of a file, and of a file only' };
  return { ok: true, data: { ...data, line: line.line } };
}

/** @param id deterministic: a copy can be dropped by it */
export const itemEventOf = (id: string, data: IngestEventData): object => ({
  specversion: '1.0',
  id,
  source: '/mediamill/ingest',
  type: INGEST_EVENT_TYPE,
  datacontenttype: 'application/json',
  data,
});
