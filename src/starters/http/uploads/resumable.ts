/** `GET /v1/uploads/{id}`: of a resumable upload, for those who do not speak tus, which leaves GET free. */
import type { ApiContext } from '../../../api/context.js';
import { findResumable, progressOf, whyFailed } from '../../../api/uploads/resumable.js';
import type { Server } from '../instance.js';
import { TYPE } from '../problems.js';
import { ResumableSchema, UploadId } from './tus-schemas.js';

export function registerResumable(server: Server, ctx: ApiContext): void {
  server.get(
    '/v1/uploads/:id',
    {
      // That of tus says something else.
      exposeHeadRoute: false,
      schema: {
        tags: ['uploads'],
        summary: 'How far a resumable upload is',
        params: UploadId,
        response: { 200: ResumableSchema },
      },
    },
    async (request, reply) => {
      const row = await findResumable(ctx, request.caller, request.params.id);
      const { id, state, size, expiresAt, assetId } = row;
      const failure = await whyFailed(row);
      void reply.header('cache-control', 'no-store');
      return {
        id,
        // Until somebody clears it away.
        state: state === 'open' && expiresAt.getTime() <= Date.now() ? ('expired' as const) : state,
        size: size!,
        offset: state === 'complete' ? size! : progressOf(row).offset,
        expiresAt: expiresAt.toISOString(),
        ...(assetId !== null && { assetId }),
        ...(failure && {
          error: { type: TYPE + failure.problem, title: failure.message, detail: failure.details.detail },
        }),
      };
    },
  );
}
