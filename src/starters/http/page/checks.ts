/**
 * `POST /page/upload-checks?size=N`, body: the first bytes of a file. What would be refused after an upload is refused
 * before it, by the same rules and in the same words.
 */
import { Type } from 'typebox';
import { ApiProblem } from '../../../api/problems.js';
import type { ApiContext } from '../../../api/context.js';
import type { Config } from '../../../config/schema.js';
import { MediaError } from '../../../contracts/errors.js';
import { sniff, SNIFF_BYTES } from '../../../media/sniff.js';
import type { Server } from '../instance.js';

const MIB = 1024 ** 2;
const Query = Type.Object({ size: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) });

/**
 * @param head the first `SNIFF_BYTES`, or all there are
 * @param size of the whole file
 * @throws MediaError what its processing would end with
 */
export async function checkHead(limits: Config['limits'], head: Uint8Array, size: number): Promise<void> {
  const { kind } = await sniff(size === 0 ? new Uint8Array() : head);
  const maxMiB = kind === 'image' ? limits.maxImageMiB : limits.maxUploadMiB;
  if (size > maxMiB * MIB)
    throw new MediaError('LIMIT_BYTES', `${kind === 'image' ? 'Images' : 'Files'} may have ${maxMiB} MiB.`);
}

export async function registerChecks(server: Server, { config }: ApiContext): Promise<void> {
  await server.register(async (scope) => {
    scope.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    const options = { bodyLimit: SNIFF_BYTES, schema: { hide: true, querystring: Query } };
    scope.post('/page/upload-checks', options, async (request, reply) => {
      const { size } = request.query as { size: number };
      const head = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      try {
        await checkHead(config.limits, head, size);
      } catch (error) {
        if (!MediaError.is(error)) throw error;
        const { code, message } = error;
        const problem = code === 'LIMIT_BYTES' ? 'too-large' : 'unsupported-media-type';
        throw new ApiProblem(problem, { detail: message, error: { code, message } });
      }
      return reply.code(204).send();
    });
  });
}
