/** The endpoints of the image service that was here before, for its clients: `/images`. */
import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { AssetId } from '../../../api/assets/schemas.js';
import type { ApiContext } from '../../../api/context.js';
import { decodeBase64 } from '../../../api/images/base64.js';
import { deleteImage, getImage, listImages, readThumbnail } from '../../../api/images/images.js';
import { ImageSchema } from '../../../api/images/record.js';
import { ApiProblem } from '../../../api/problems.js';
import { receiveStream } from '../../../api/uploads/receive.js';
import type { Server } from '../instance.js';
import { bodyOf, letGo } from '../uploads/body.js';

const tags = ['images, as before'];
const NEVER = 'no-store';
const MAX_LIMIT = 200;

const Params = Type.Object({ id: AssetId });
const Query = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT })),
    cursor: Type.Optional(Type.String({ maxLength: 2000, description: 'From the header Link.' })),
  },
  { additionalProperties: false },
);
const base64 = { schema: { type: 'string', contentEncoding: 'base64' } };
const BODY = { content: { 'image/jpeg': base64, 'image/png': base64, 'image/webp': base64, 'image/gif': base64 } };
const ThumbnailSchema = {
  description: '100x100 pixels, JPEG, as base64.',
  content: { 'text/plain': { schema: Type.String({ contentEncoding: 'base64', contentMediaType: 'image/jpeg' }) } },
};

export async function registerImages(server: Server, ctx: ApiContext): Promise<void> {
  const maxBytes = ctx.config.limits.maxImageMiB * 1024 ** 2;
  server.get(
    '/images',
    { schema: { tags, summary: 'List images', querystring: Query, response: { 200: Type.Array(ImageSchema) } } },
    async (request, reply) => {
      const { limit = 100, cursor } = request.query;
      const { images, next } = await listImages(ctx, request.caller, { limit, cursor });
      if (next !== undefined)
        void reply.header('link', `</images?limit=${limit}&cursor=${encodeURIComponent(next)}>; rel="next"`);
      void reply.header('cache-control', NEVER);
      return images;
    },
  );

  server.get(
    '/images/:id',
    { schema: { tags, summary: 'How far an image is', params: Params, response: { 200: ImageSchema } } },
    async (request, reply) => {
      void reply.header('cache-control', NEVER);
      return getImage(ctx, request.caller, request.params.id);
    },
  );

  server.get(
    '/images/:id/thumbnail',
    { schema: { tags, summary: 'The thumbnail of an image', params: Params, response: { 200: ThumbnailSchema } } },
    async (request, reply) => {
      const bytes = await readThumbnail(ctx, request.caller, request.params.id);
      return reply.header('cache-control', NEVER).type('text/plain; charset=utf-8').send(bytes.toString('base64'));
    },
  );

  server.delete(
    '/images/:id',
    { schema: { tags, summary: 'Delete an image', params: Params, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await deleteImage(ctx, request.caller, request.params.id);
      return reply.code(204).send(null);
    },
  );

  await server.register(async (scope) => {
    // Whatever it is, it is read from the request itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.addHook('onResponse', async (request) => letGo(request.raw));
    scope.post(
      '/images',
      {
        config: { streams: true },
        schema: {
          tags,
          summary: 'Upload an image as base64',
          body: BODY,
          response: { 202: Type.Object({ media_id: AssetId }) },
        },
        validatorCompiler: () => () => true,
      },
      async (request, reply) => {
        const contentType = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
        if (!contentType.startsWith('image/'))
          throw new ApiProblem('unsupported-media-type', { detail: 'Content-Type must be image/...' });
        const bytes = Readable.from(decodeBase64(bodyOf(request.raw), maxBytes), { objectMode: false });
        const { assetId } = await receiveStream(ctx, request.caller, { kind: 'image', contentType }, bytes);
        return reply.code(202).header('location', `/images/${assetId}`).send({ media_id: assetId });
      },
    );
  });
}
