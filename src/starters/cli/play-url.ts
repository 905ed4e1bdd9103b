/** Where the HTTP server is, for people. */
import { PlaybackTokens } from '../../api/playback/tokens.js';
import type { AssetRow } from '../../catalogue/catalogue.js';
import type { Config } from '../../config/schema.js';
import { reachable } from '../../local/servers/types.js';

/** Without a slash at its end. */
export const httpUrl = ({ http }: Config): string =>
  (http.publicUrl || `http://${reachable(http.host)}:${http.port}`).replace(/\/+$/, '');

/** For whom a browser is to play it, where keys are asked for: a token goes with it. */
export async function ticketUrl(config: Config, { id, tenant }: Pick<AssetRow, 'id' | 'tenant'>): Promise<string> {
  const { auth, tokenSecret, tokenSeconds } = config.http;
  if (auth === 'off') return playUrl(config, id);
  const expiresAt = new Date(Date.now() + tokenSeconds * 1000);
  const token = await new PlaybackTokens(tokenSecret).sign({ assetId: id, tenant, expiresAt });
  return `${playUrl(config, id)}?token=${token}`;
}

/** Plays while it is encoded too. */
export const playUrl = (config: Config, assetId: string): string =>
  `${httpUrl(config)}/v1/assets/${assetId}/play/master.m3u8`;
