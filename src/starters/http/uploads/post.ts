/** `POST /v1/assets`: a file as it is, as a form, or by the URL where it lies. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';

import type { ApiContext } from '../../../api/context.js';
import { AssetSchema, type Asset } from '../../../api/assets/schemas.js';
import { ApiProblem } from '../../../api/problems.js';
import { SaidSchema, type Said, type UploadFacts } from '../../../api/uploads/facts.js';
import { fetchUpload } from '../../../api/uploads/fetch.js';
import { paced } from '../../../api/uploads/paced.js';
import { receiveStream, type Received } from '../../../api/uploads/receive.js';
import type { Priority } from '../../../contracts/assets.js';
import { answer } from '../assets/routes.js';
import type { Server } from '../instance.js';
import { bodyOf, letGo, readWhole } from './body.js';
import { readForm } from './form.js';
import { saidInForm, saidInQuery, SaidQuerySchema, type SaidQuery } from './said.js';

const SourceSchema = Type.Object(
  {
    source: Type.Object(
      { url: Type.String({ maxLength: 2000, description: 'http or https, of a public address.' }) },
      { additionalProperties: false },
    ),
    ...SaidSchema.properties,
  },
  { additionalProperties: false },
);
const sourceValidator = Compile(SourceSchema);
const JSON_BYTES = 64 * 1024;

const binary = { type: 'string', format: 'binary' };
const BODY = {
  content: {
    'application/octet-stream': { schema: binary },
    'multipart/form-data': {
      schema: {
        type: 'object',
        description: 'Fields as in the query, then the file.',
        properties: { title: { type: 'string' }, file: binary },
        required: ['file'],
      },
    },
    'application/json': { schema: SourceSchema },
  },
};

type Repeat = NonNullable<FastifyRequest['idempotency']>;

export function registerPost(server: Server, ctx: ApiContext): void {
  const { slowUploadSeconds } = ctx.config.http;

  void server.register(async (scope) => {
    // Whatever it is, it is read from the request itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.addHook('onResponse', async (request) => letGo(request.raw));
    scope.post(
      '/v1/assets',
      {
        config: { streams: true, idempotency: 'streams' },
        schema: {
          tags: ['uploads'],
          summary: 'Upload a file',
          description: 'The file as it is, as a form, or as JSON that names the URL where it lies.',
          querystring: SaidQuerySchema,
          body: BODY,
          response: { 201: AssetSchema },
        },
        validatorCompiler: (route) =>
          route.httpPart === 'body' ? () => true : (server.validatorCompiler!(route) as () => boolean),
      },
      async (request, reply) => post(request, reply, saidInQuery(request.query as SaidQuery)),
    );
  });

  async function post(request: FastifyRequest, reply: FastifyReply, said: Said): Promise<Asset | FastifyReply> {
    const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
    if (type === 'application/json') return fromUrl(request, reply, said);
    if (type !== 'multipart/form-data') {
      const length = request.headers['content-length'];
      const size = length === undefined ? undefined : Number(length);
      return take(request, reply, bodyOf(request.raw), { ...said, size, contentType: type });
    }
    const form = await readForm(request.headers, bodyOf(request.raw));
    const { file, contentType, fileName } = form;
    try {
      return await take(request, reply, file, { fileName, ...said, ...saidInForm(form.fields), contentType });
    } finally {
      file.destroy();
    }
  }

  async function take(
    request: FastifyRequest,
    reply: FastifyReply,
    stream: Readable,
    said: Omit<UploadFacts, 'kind' | 'priority'> & { priority?: number | undefined },
  ): Promise<Asset | FastifyReply> {
    const facts: UploadFacts = { ...said, kind: 'post', priority: said.priority as Priority | undefined };
    const again = request.idempotency;
    if (again?.isRepeat) return again.replay(reply, contentOf(facts, await hashOf(stream, slowUploadSeconds)));
    const received = await receiveStream(ctx, request.caller, facts, stream);
    return created(reply, received, again, contentOf(facts, received.sha256));
  }

  async function fromUrl(request: FastifyRequest, reply: FastifyReply, said: Said): Promise<Asset | FastifyReply> {
    const text = (await readWhole(request.raw, JSON_BYTES, slowUploadSeconds)).toString();
    const { source, ...more } = parseSource(text);
    const again = request.idempotency;
    if (again?.isRepeat) return again.replay(reply, text);
    const facts = { ...said, ...more, kind: 'url' } as UploadFacts;
    return created(reply, await fetchUpload(ctx, request.caller, facts, source.url), again, text);
  }

  async function created(
    reply: FastifyReply,
    { assetId }: Received,
    again: Repeat | undefined,
    content: string,
  ): Promise<Asset> {
    again?.seal(content);
    const row = await ctx.catalogue.find(assetId);
    if (!row) throw new TypeError(`the asset ${assetId} has no row`);
    void reply.code(201).header('location', `/v1/assets/${assetId}`);
    return answer(ctx, reply, row);
  }
}

const contentOf = ({ size: _, ...facts }: UploadFacts, sha256: string): string => JSON.stringify([facts, sha256]);

async function hashOf(stream: Readable, seconds: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of paced(stream, seconds)) hash.update(piece);
  return hash.digest('hex');
}

function parseSource(text: string): Static<typeof SourceSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiProblem('invalid-request', { detail: 'The body is not JSON.' });
  }
  if (sourceValidator.Check(value)) return value;
  const [error] = sourceValidator.Errors(value);
  const where = error?.instancePath || 'body';
  throw new ApiProblem('invalid-request', { detail: `${where} ${error?.message ?? 'is not valid'}` });
}
