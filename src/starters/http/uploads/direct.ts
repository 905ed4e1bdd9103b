/** `/v1/direct-uploads`: bytes that go straight to the store. */
import { Type } from 'typebox';

import type { ApiContext } from '../../../api/context.js';
import { AssetSchema } from '../../../api/assets/schemas.js';
import {
  cancelDirect,
  completeDirect,
  findDirect,
  openDirect,
  partsOf,
  partsThere,
  signParts,
  type DirectFacts,
} from '../../../api/uploads/direct.js';
import { SaidSchema } from '../../../api/uploads/facts.js';
import type { UploadRow } from '../../../catalogue/uploads.js';
import { answer } from '../assets/routes.js';
import type { Server } from '../instance.js';

const PATH = '/v1/direct-uploads';
const tags = ['uploads'];
const Id = Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9_-]{24}$', description: 'Of an upload.' }) });
const whole = (description: string, extra: object = {}) => Type.Integer({ minimum: 1, description, ...extra });

const OpenSchema = Type.Object(
  {
    method: Type.Enum(['put', 'multipart'], { description: 'In one request, up to 5 GiB; or in parts.' }),
    size: whole('Bytes.', { maximum: Number.MAX_SAFE_INTEGER }),
    contentType: Type.Optional(Type.String({ maxLength: 200 })),
    ...SaidSchema.properties,
  },
  { additionalProperties: false },
);

const UploadSchema = Type.Object({
  id: Type.String(),
  method: Type.Enum(['put', 'multipart']),
  state: Type.Enum(['open', 'complete', 'failed', 'expired', 'cancelled']),
  size: whole('Bytes.'),
  expiresAt: Type.String({ format: 'date-time' }),
  assetId: Type.Optional(Type.String({ description: 'When it is complete.' })),
  put: Type.Optional(
    Type.Object({
      url: Type.String({ description: 'For one PUT of the file.' }),
      headers: Type.Record(Type.String(), Type.String(), { description: 'To be sent with it, all of them.' }),
    }),
  ),
  multipart: Type.Optional(
    Type.Object({
      partBytes: whole('Of each part but the last.'),
      parts: whole('How many there are.'),
      uploaded: Type.Array(whole('Numbers of those that are there.')),
    }),
  ),
});

const resource = ({ id, kind, state, size, expiresAt, assetId }: UploadRow) => ({
  id,
  method: kind as 'put' | 'multipart',
  state,
  size: size!,
  expiresAt: expiresAt.toISOString(),
  ...(assetId !== null && { assetId }),
});

export function registerDirect(server: Server, ctx: ApiContext): void {
  server.post(
    PATH,
    {
      schema: {
        tags,
        summary: 'Begin an upload straight to the store',
        body: OpenSchema,
        response: { 201: UploadSchema },
      },
    },
    async (request, reply) => {
      const { method, ...said } = request.body;
      const facts = { ...said, kind: method } as DirectFacts;
      const { upload, put, multipart } = await openDirect(ctx, request.caller, facts);
      void reply.code(201).header('location', `${PATH}/${upload.id}`).header('cache-control', 'no-store');
      return {
        ...resource(upload),
        ...(put && { put: { url: put.url, headers: { ...put.headers } } }),
        ...(multipart && { multipart: { ...multipart, uploaded: [] } }),
      };
    },
  );

  server.get(
    `${PATH}/:id`,
    { schema: { tags, summary: 'How far it is', params: Id, response: { 200: UploadSchema } } },
    async (request, reply) => {
      const row = await findDirect(ctx, request.caller, request.params.id);
      void reply.header('cache-control', 'no-store');
      if (row.kind === 'put' || row.state !== 'open') return resource(row);
      const uploaded = (await partsThere(ctx, row)).map(({ number }) => number);
      return { ...resource(row), multipart: { ...partsOf(row.size!), uploaded } };
    },
  );

  server.post(
    `${PATH}/:id/parts`,
    {
      schema: {
        tags,
        summary: 'URLs for parts',
        params: Id,
        body: Type.Object(
          {
            numbers: Type.Array(whole('From 1.', { maximum: 10_000 }), {
              minItems: 1,
              maxItems: 1000,
              uniqueItems: true,
            }),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ parts: Type.Array(Type.Object({ number: Type.Integer(), url: Type.String() })) }),
        },
      },
    },
    async (request, reply) => {
      void reply.header('cache-control', 'no-store');
      return { parts: await signParts(ctx, request.caller, request.params.id, request.body.numbers) };
    },
  );

  server.post(
    `${PATH}/:id/complete`,
    { schema: { tags, summary: 'All of it is there', params: Id, response: { 201: AssetSchema } } },
    async (request, reply) => {
      const assetId = await completeDirect(ctx, request.caller, request.params.id);
      const row = await ctx.catalogue.find(assetId);
      if (!row) throw new TypeError(`the asset ${assetId} has no row`);
      void reply.code(201).header('location', `/v1/assets/${assetId}`);
      return answer(ctx, reply, row);
    },
  );

  server.delete(
    `${PATH}/:id`,
    {
      schema: {
        tags,
        summary: 'Give it up',
        params: Id,
        response: { 204: { type: 'null', description: 'It is gone.' } },
      },
    },
    async (request, reply) => {
      await cancelDirect(ctx, request.caller, request.params.id);
      return reply.code(204).send(undefined as never);
    },
  );
}
