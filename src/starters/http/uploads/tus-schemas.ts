/** `/v1/uploads` in the OpenAPI document. Requests are judged by `tus-protocol.ts`, and by the library. */
import type { FastifySchema } from 'fastify';
import { Type, type TProperties } from 'typebox';

import { OPTIONAL_BODY, problem } from '../openapi.js';
import { METADATA_PATTERN, TUS_TYPE, TUS_VERSION } from './tus-protocol.js';

const tags = ['uploads'];
const SPECIFICATION = { url: 'https://tus.io/protocols/resumable-upload', description: 'tus 1.0' };

export const UploadId = Type.Object({
  id: Type.String({ pattern: '^[A-Za-z0-9_-]{24}$', description: 'Of an upload.' }),
});

const version = Type.Enum([TUS_VERSION], { description: 'Of the protocol.' });
const bytes = (description: string, extra: object = {}) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description, ...extra });
const asking = (more: TProperties = {}) => Type.Object({ 'Tus-Resumable': version, ...more });
// Of any bytes there is nothing that a schema could say.
const BODY = { content: { [TUS_TYPE]: { schema: {} } } };

const ANSWERS = {
  'Tus-Resumable': version,
  'Upload-Offset': bytes('So much is stored.'),
  'Upload-Expires': Type.String({ description: 'When it is given up, unless it is complete: an HTTP date.' }),
  'Mediamill-Asset-Id': Type.String({ pattern: '^[0-9a-f]{24}$', description: 'Of the asset, when it is complete.' }),
};
const empty = (description: string, headers: object) => ({ type: 'null', description, headers });

const REFUSALS = {
  400: problem('A header is missing, or says what it can not.'),
  404: problem('The caller has no such upload.'),
  409: problem('`Upload-Offset` is not where it stands: ask with HEAD.'),
  410: problem('It was cancelled, has failed, or its time is over.'),
  412: problem('`Tus-Resumable` is missing, or of another version. `Tus-Version` names ours.'),
  413: problem('More bytes than announced, or than allowed.'),
  415: problem(`The body is not \`${TUS_TYPE}\`.`),
  422: problem('All of it is there, but the bytes are not those that were announced: the upload has failed.'),
  423: problem('Another request writes to it: try again.'),
};
type Refusal = keyof typeof REFUSALS;
const refusals = (...statuses: Refusal[]) => Object.fromEntries(statuses.map((status) => [status, REFUSALS[status]]));
/** An answer to HEAD has no body. */
const bare = (...statuses: Refusal[]) => ({
  ...Object.fromEntries(statuses.map((status) => [status, empty(REFUSALS[status].description, {})])),
  '4xx': empty('What the caller can mend.', {}),
  '5xx': empty('What the caller can not mend.', {}),
});

const METADATA = `What is said of it: pairs of a name and Base64, separated by commas. \`filename\`, \`filetype\`, \`title\`, \
\`tags\` (with commas, or JSON), \`metadata\` (JSON), \`profile\`, \`priority\`, \`publishBy\`, \`publicationTimeout\`,
\`publishNotBefore\`, \`sha256\`; others are passed over.`;

/** @param maxBytes of an upload */
export const tusSchemas = (maxBytes: number) =>
  ({
    options: {
      ...{ tags, summary: 'What the tus server can', externalDocs: SPECIFICATION, security: [] },
      response: {
        204: empty('Nobody needs a key for it.', {
          'Tus-Resumable': version,
          'Tus-Version': Type.String({ description: 'Those that it speaks.' }),
          'Tus-Extension': Type.String({ description: 'Those that it has, with commas.' }),
          'Tus-Max-Size': bytes('That an upload may have.'),
        }),
      },
    },
    create: {
      ...{ tags, summary: 'Begin a resumable upload', externalDocs: SPECIFICATION, ...OPTIONAL_BODY },
      description: 'By tus 1.0, with its extensions creation, creation-with-upload, expiration and termination.',
      headers: asking({
        'Upload-Length': bytes('Of the whole file.', { minimum: 1, maximum: maxBytes }),
        'Upload-Metadata': Type.Optional(Type.String({ pattern: METADATA_PATTERN, description: METADATA })),
      }),
      body: BODY,
      response: {
        201: empty('It is begun.', { Location: Type.String({ description: 'Of the upload.' }), ...ANSWERS }),
        ...refusals(400, 412, 413, 422),
      },
    },
    head: {
      ...{ tags, summary: 'How much of it is there', externalDocs: SPECIFICATION, params: UploadId, headers: asking() },
      response: {
        200: empty('So far it is.', { ...ANSWERS, 'Upload-Length': bytes('Of the whole file.') }),
        ...bare(400, 404, 410, 412, 423),
      },
    },
    patch: {
      ...{ tags, summary: 'Send what comes next', externalDocs: SPECIFICATION, params: UploadId },
      description: 'Of a body that breaks off, what has come is kept.',
      headers: asking({ 'Upload-Offset': bytes('Where the body begins: as HEAD says.') }),
      body: BODY,
      response: { 204: empty('It is stored.', ANSWERS), ...refusals(400, 404, 409, 410, 412, 413, 415, 422, 423) },
    },
    remove: {
      ...{
        tags,
        summary: 'Give a resumable upload up',
        externalDocs: SPECIFICATION,
        params: UploadId,
        headers: asking(),
      },
      response: {
        204: empty('It is gone.', { 'Tus-Resumable': version }),
        ...refusals(400, 404, 410, 412, 423),
      },
    },
  }) satisfies Record<string, FastifySchema>;

/** For those who do not speak tus. */
export const ResumableSchema = Type.Object({
  id: Type.String(),
  state: Type.Enum(['open', 'complete', 'failed', 'expired', 'cancelled']),
  size: bytes('Of the whole file.', { minimum: 1 }),
  offset: bytes('So much came.'),
  expiresAt: Type.String({ format: 'date-time' }),
  assetId: Type.Optional(Type.String({ description: 'When it is complete.' })),
  error: Type.Optional(
    Type.Object(
      {
        type: Type.String({ description: 'Stable, as that of a problem.' }),
        title: Type.String(),
        detail: Type.Optional(Type.String({ description: 'For people.' })),
      },
      { description: 'Why it failed.' },
    ),
  ),
});
