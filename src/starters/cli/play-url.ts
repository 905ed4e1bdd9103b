/** Where the HTTP server is, for people. */
import type { Config } from '../../config/schema.js';
import { reachable } from '../../local/servers/types.js';

/** Without a slash at its end. */
export const httpUrl = ({ http }: Config): string =>
  (http.publicUrl || `http://${reachable(http.host)}:${http.port}`).replace(/\/+$/, '');

/** Plays while it is encoded too. */
export const playUrl = (config: Config, assetId: string): string =>
  `${httpUrl(config)}/v1/assets/${assetId}/play/master.m3u8`;
