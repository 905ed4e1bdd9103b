/** Who may watch what: whoever has a token for the asset, or an API key that may read. */
import { mustAllow } from '../../../api/caller.js';
import { authenticate } from '../../../api/keys.js';
import type { PlaybackTokens } from '../../../api/playback/tokens.js';
import { ApiProblem } from '../../../api/problems.js';
import type { PlayContext } from './ports.js';

export interface Viewer {
  /** Whose assets these may be; absent where nobody is asked for a key: anybody's. */
  readonly tenant?: string | undefined;
  /** Goes on with every URI that we name. */
  readonly token?: string | undefined;
}

export interface Ticket {
  readonly assetId: string;
  readonly token?: string | undefined;
  readonly authorization?: string | undefined;
}

/** @throws ApiProblem `unauthorized`, `forbidden`; `asset-unknown` where the token is for another asset */
export async function viewerOf(
  ctx: Pick<PlayContext, 'config' | 'db' | 'logger'>,
  tokens: PlaybackTokens,
  { assetId, token, authorization }: Ticket,
): Promise<Viewer> {
  if (token !== undefined) {
    const claims = await tokens.verify(token);
    if (claims.assetId !== assetId) throw new ApiProblem('asset-unknown');
    return { tenant: claims.tenant, token };
  }
  if (ctx.config.http.auth === 'off') return {};
  if (authorization === undefined)
    throw new ApiProblem('unauthorized', { detail: 'A playback token or an API key is needed.' });
  const caller = await authenticate(ctx, authorization);
  mustAllow(caller, 'read');
  return { tenant: caller.tenant };
}
