/** `/v1/assets`: list, read, describe. What is done to them: `actions.ts`; how they come in: `../uploads/`. */
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '../../../api/context.js';
import { getAsset } from '../../../api/assets/get-asset.js';
import { AssetListSchema, listAssets, ListQuerySchema } from '../../../api/assets/list-assets.js';
import { patchAsset } from '../../../api/assets/patch-asset.js';
import { resourceOf } from '../../../api/assets/resource.js';
import { conditionOf, etagOf } from '../../../api/assets/revision.js';
import { AssetId, AssetSchema, PatchSchema, type Asset } from '../../../api/assets/schemas.js';
import { ApiProblem } from '../../../api/problems.js';
import type { AssetRow } from '../../../catalogue/catalogue.js';
import { FINAL_STATES } from '../../../contracts/assets.js';
import type { Server } from '../instance.js';

export const AssetParams = Type.Object({ id: AssetId });
export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      maxLength: 1000,
      description: 'The ETag that the change is made for: 412 when it has changed since.',
    }),
  ),
});
const IfNoneMatch = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({ maxLength: 1000, description: 'ETags; 304 when one of them is that of an asset that has ended.' }),
  ),
});
const tags = ['assets'];

export function registerAssets(server: Server, ctx: ApiContext): void {
  server.get(
    '/v1/assets',
    {
      schema: {
        tags,
        summary: 'List and search',
        querystring: ListQuerySchema,
        response: { 200: AssetListSchema },
      },
    },
    (request) => listAssets(ctx, request.caller, request.query),
  );

  server.get(
    '/v1/assets/:id',
    {
      schema: {
        tags,
        summary: 'Read one, with its history and progress',
        params: AssetParams,
        headers: IfNoneMatch,
        response: { 200: AssetSchema, 304: { description: 'As it was.', type: 'null' } },
      },
    },
    async (request, reply) => {
      const { asset, revision } = await getAsset(ctx, request.caller, request.params.id);
      if (asset.state === 'deleted') throw new ApiProblem('asset-deleted');
      const etag = etagOf(revision);
      void reply.header('etag', etag).header('cache-control', 'private, no-cache');
      // Progress is not counted: only what has ended stays as it is.
      const isKnown = request.headers['if-none-match']?.includes(etag) && FINAL_STATES.includes(asset.state);
      return isKnown ? reply.code(304).send(undefined as never) : asset;
    },
  );

  server.patch(
    '/v1/assets/:id',
    {
      schema: {
        tags,
        summary: 'Change title, tags, metadata, priority, deadline',
        params: AssetParams,
        headers: IfMatch,
        body: PatchSchema,
        response: { 200: AssetSchema },
      },
    },
    async (request, reply) => {
      const condition = conditionOf(request.headers['if-match']);
      const row = await patchAsset(ctx, request.caller, request.params.id, request.body, condition);
      return answer(ctx, reply, row);
    },
  );
}

/** A row as the answer to a change of it. */
export function answer(ctx: ApiContext, reply: FastifyReply, row: AssetRow): Asset {
  void reply.header('etag', etagOf(row.revision)).header('cache-control', 'no-store');
  return resourceOf(row, ctx.config);
}
