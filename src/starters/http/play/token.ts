/** `POST /v1/assets/{id}/playback-token`: a service lets somebody watch who has no key. */
import { Type } from 'typebox';
import { stageOf } from '../../../api/playback/stage.js';
import type { PlaybackTokens } from '../../../api/playback/tokens.js';
import { ApiProblem } from '../../../api/problems.js';
import { baseUrl } from '../../../api/urls.js';
import { MANIFEST_FILE, MASTER_FILE } from '../../../media/video/layout.js';
import type { Server } from '../instance.js';
import { OPTIONAL_BODY } from '../openapi.js';
import type { PlayContext } from './ports.js';

const MAX_SECONDS = 604_800;
const Params = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{24}$' }) });
const Wish = Type.Object(
  {
    seconds: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: MAX_SECONDS,
        description: 'So long it is good. Absent: `http.tokenSeconds`.',
      }),
    ),
  },
  { additionalProperties: false },
);
const Given = Type.Object({
  token: Type.String({ description: 'Goes behind any URL of the asset below `play/`, as `?token=`.' }),
  expiresAt: Type.String({ format: 'date-time' }),
  hls: Type.String({ description: 'With the token.' }),
  dash: Type.String({ description: 'With the token.' }),
});

export function registerPlaybackToken(
  server: Server,
  { config, catalogue }: Pick<PlayContext, 'config' | 'catalogue'>,
  tokens: PlaybackTokens,
): void {
  const schema = {
    tags: ['playback'],
    ...OPTIONAL_BODY,
    summary: 'Let somebody without a key play one asset for a while',
    params: Params,
    body: Type.Union([Wish, Type.Null()]),
    response: { 200: Given },
  };
  server.post('/v1/assets/:id/playback-token', { schema, config: { access: 'read' } }, async (request, reply) => {
    const { id } = request.params;
    const { tenant } = request.caller;
    const row = await catalogue.find(id);
    if (row?.tenant !== tenant) throw new ApiProblem('asset-unknown');
    stageOf(row);
    const seconds = request.body?.seconds ?? config.http.tokenSeconds;
    // Tokens count in seconds.
    const expiresAt = new Date(Math.floor(Date.now() / 1000 + seconds) * 1000);
    const token = await tokens.sign({ assetId: id, tenant, expiresAt });
    const url = (file: string): string => `${baseUrl(config)}/v1/assets/${id}/play/${file}?token=${token}`;
    void reply.header('cache-control', 'no-store');
    return { token, expiresAt: expiresAt.toISOString(), hls: url(MASTER_FILE), dash: url(MANIFEST_FILE) };
  });
}
