/** What is done to assets: cancel, reprocess, delete, hold. */
import type { ApiContext } from '../../../api/context.js';
import { conditionOf } from '../../../api/assets/revision.js';
import { AssetSchema, ReprocessSchema } from '../../../api/assets/schemas.js';
import { cancelAsset } from '../../../api/lifecycle/cancel-asset.js';
import { deleteAsset } from '../../../api/lifecycle/delete-asset.js';
import { setLegalHold } from '../../../api/lifecycle/legal-hold.js';
import { reprocessAsset } from '../../../api/lifecycle/reprocess-asset.js';
import type { Priority } from '../../../contracts/assets.js';
import type { Server } from '../instance.js';
import { OPTIONAL_BODY } from '../openapi.js';
import { answer, AssetParams, IfMatch } from './routes.js';

const tags = ['assets'];
const params = AssetParams;

export function registerActions(server: Server, ctx: ApiContext): void {
  server.post(
    '/v1/assets/:id/cancel',
    {
      schema: {
        tags,
        summary: 'Cancel the work under way',
        description: 'Its steps stop, and what they made is removed; then its state is `cancelled`.',
        params,
        response: { 202: AssetSchema },
      },
    },
    async (request, reply) => answer(ctx, reply.code(202), await cancelAsset(ctx, request.caller, request.params.id)),
  );

  server.post(
    '/v1/assets/:id/reprocess',
    {
      schema: {
        tags,
        ...OPTIONAL_BODY,
        summary: 'Make it again',
        description: 'What is published plays on until the new run takes its place, all at once.',
        params,
        headers: IfMatch,
        body: ReprocessSchema,
        response: { 202: AssetSchema },
      },
      // All of its wishes have defaults.
      preValidation: async (request) => void (request.body ??= {}),
    },
    async (request, reply) => {
      const condition = conditionOf(request.headers['if-match']);
      const { profile, renditions, priority } = request.body;
      const wish = { profile, renditions, priority: priority as Priority | undefined };
      const row = await reprocessAsset(ctx, request.caller, request.params.id, wish, condition);
      return answer(ctx, reply.code(202), row);
    },
  );

  server.delete(
    '/v1/assets/:id',
    {
      schema: {
        tags,
        summary: 'Delete it for ever',
        description: 'It is gone at once; its objects are removed as soon as its work has stopped.',
        params,
        headers: IfMatch,
        response: { 204: { description: 'It is gone.', type: 'null' } },
      },
    },
    async (request, reply) => {
      await deleteAsset(ctx, request.caller, request.params.id, conditionOf(request.headers['if-match']));
      return reply.code(204).send(undefined as never);
    },
  );

  for (const [method, hold, summary] of [
    ['PUT', true, 'Hold it'],
    ['DELETE', false, 'Let it go'],
  ] as const) {
    server.route({
      method,
      url: '/v1/assets/:id/legal-hold',
      config: { access: 'admin' },
      schema: {
        tags,
        summary,
        description: 'What is on legal hold is deleted by nobody and nothing.',
        params,
        response: { 200: AssetSchema },
      },
      handler: async (request, reply) =>
        answer(ctx, reply, await setLegalHold(ctx, request.caller, request.params.id, hold)),
    });
  }
}
