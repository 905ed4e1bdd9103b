/** What the page may load and whom it may talk to: itself, and the store that pictures and films come from. Pure. */
import type { Config } from '../../../config/schema.js';

type Places = Pick<Config, 'http' | 'storage'>;

/** Origins that media is sent from. */
export function mediaOrigins({ http, storage }: Places): string[] {
  const urls = [storage.publicUrl || storage.endpoint, http.cdnUrl].filter((url) => url !== '');
  return [...new Set(urls.map((url) => new URL(url).origin))];
}

/** @param framed whether pages of others may have it in a frame */
export function securityHeaders(places: Places, framed: boolean): Record<string, string> {
  const media = mediaOrigins(places).join(' ');
  const policy = {
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': `'self' data: blob: ${media}`,
    // What a player has put together is a blob; hls.js empties a track of subtitles by one that is data.
    'media-src': `'self' blob: data: ${media}`,
    'connect-src': `'self' ${media}`,
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': framed ? '*' : "'none'",
    // Nothing in the page makes markup or code of text.
    'require-trusted-types-for': "'script'",
    'trusted-types': "'none'",
  };
  return {
    'content-security-policy': Object.entries(policy)
      .map((entry) => entry.join(' '))
      .join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-resource-policy': framed ? 'cross-origin' : 'same-origin',
    ...(!framed && { 'x-frame-options': 'DENY', 'cross-origin-opener-policy': 'same-origin' }),
  };
}
