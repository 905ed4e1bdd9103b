/** The accepted forms of upload events as schemas, and how a value is held against one. */
import { Type, type Static, type TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';

import { MAX_PUBLICATION_TIMEOUT } from './deadlines.js';

const NAME = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';
const BUCKET = '^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$';
const TOKEN = '^[\\x21\\x23-\\x7e]{1,200}$';
const DATE_TIME = '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$';

const hint = {
  tenant: Type.Optional(Type.String({ pattern: NAME })),
  profile: Type.Optional(Type.String({ pattern: NAME })),
  priority: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
  publishBy: Type.Optional(Type.String({ pattern: DATE_TIME })),
  publicationTimeout: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: MAX_PUBLICATION_TIMEOUT })),
  publishNotBefore: Type.Optional(Type.String({ pattern: DATE_TIME })),
};

export const notificationRecord = Compile(
  Type.Object({
    s3: Type.Object({
      bucket: Type.Object({ name: Type.String({ pattern: BUCKET }) }),
      object: Type.Object({
        key: Type.String(),
        versionId: Type.Optional(Type.String({ maxLength: 200 })),
        eTag: Type.Optional(Type.String({ maxLength: 200 })),
        contentType: Type.Optional(Type.String({ maxLength: 500 })),
      }),
    }),
  }),
);

export const cloudEvent = Compile(
  Type.Object({
    specversion: Type.Literal('1.0'),
    id: Type.String({ minLength: 1 }),
    source: Type.String({ minLength: 1 }),
    type: Type.String({ minLength: 1 }),
    data: Type.Object({
      bucket: Type.String({ pattern: BUCKET }),
      key: Type.String({ minLength: 1 }),
      versionId: Type.Optional(Type.String({ pattern: TOKEN })),
      etag: Type.Optional(Type.String({ pattern: '^"?[\\x21\\x23-\\x7e]{1,200}"?$' })),
      contentType: Type.Optional(Type.String({ maxLength: 500 })),
      ...hint,
      metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
  }),
);

export const shortForm = Compile(Type.Object({ key: Type.String(), body: Type.String() }));

/** What an uploader may say in the object's own metadata (`x-amz-meta-mediamill-tenant` and so on). */
export const objectHints = Compile(Type.Object(hint));

/** @returns the typed value, or which field is wrong and how, for people */
export function check<T extends TSchema>(validator: Validator<Record<never, never>, T>, value: unknown) {
  if (validator.Check(value)) return { ok: true, value: value as Static<T> } as const;
  const [error] = validator.Errors(value);
  const path = error?.instancePath.slice(1).replaceAll('/', '.').slice(0, 100);
  return { ok: false, detail: `${path || 'event'} ${error?.message ?? 'is invalid'}` } as const;
}
