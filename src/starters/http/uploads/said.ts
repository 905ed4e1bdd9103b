/** What a query or a form says of an upload. */
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';

import { ApiProblem } from '../../../api/problems.js';
import { SaidSchema, type Said } from '../../../api/uploads/facts.js';

const { metadata: _, ...said } = SaidSchema.properties;

export const SaidQuerySchema = Type.Object(
  {
    ...said,
    metadata: Type.Optional(Type.String({ maxLength: 8192, description: 'JSON: an object of texts, at most 4 KB.' })),
  },
  { additionalProperties: false },
);
export type SaidQuery = Static<typeof SaidQuerySchema>;

const metadataValidator = Compile(SaidSchema.properties.metadata);

/** @throws ApiProblem `invalid-request` */
export function saidInQuery({ metadata, ...rest }: SaidQuery): Said {
  return metadata === undefined ? rest : { ...rest, metadata: parseMetadata(metadata) };
}

/** @throws ApiProblem `invalid-request` */
export function saidInForm(fields: Readonly<Record<string, readonly string[]>>): Said {
  const unknown = Object.keys(fields).find((name) => !(name in SaidSchema.properties));
  if (unknown !== undefined) throw invalid(`There is no field ${unknown.slice(0, 100)}.`);
  const { tags, metadata, priority, publicationTimeout, ...texts } = fields;
  const repeated = Object.entries({ metadata, priority, publicationTimeout, ...texts }).find(
    ([, values]) => (values?.length ?? 0) > 1,
  );
  if (repeated) throw invalid(`The field ${repeated[0]} is given twice.`);
  return {
    ...Object.fromEntries(Object.entries(texts).map(([name, [value]]) => [name, value])),
    ...(tags && { tags: [...tags] }),
    ...(metadata && { metadata: parseMetadata(metadata[0]!) }),
    ...(priority && { priority: Number(priority[0]) }),
    ...(publicationTimeout && { publicationTimeout: Number(publicationTimeout[0]) }),
  };
}

/** @throws ApiProblem `invalid-request` */
export function parseMetadata(text: string): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('metadata must be JSON.');
  }
  if (!metadataValidator.Check(value)) throw invalid('metadata must be an object of texts.');
  return value;
}

const invalid = (detail: string): ApiProblem => new ApiProblem('invalid-request', { detail });
