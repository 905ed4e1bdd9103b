/** Facts of an object as HTTP headers, both ways. */
import type { IncomingHttpHeaders } from 'node:http';
import type { ObjectStat, WriteOptions } from './object-store.js';

const META = 'x-amz-meta-';

/** HTTP headers are ASCII; S3 itself uses RFC 2047 for user metadata that is not. */
const encode = (value: string): string =>
  /^[\x20-\x7e]*$/.test(value) ? value : `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`;

const decode = (value: string): string =>
  value.replace(/=\?UTF-8\?B\?([^?]*)\?=/gi, (_match, base64: string) => Buffer.from(base64, 'base64').toString());

export function headersOf(options: WriteOptions): Record<string, string> {
  const metadata = Object.entries(options.metadata ?? {}).map(
    ([name, value]) => [`${META}${name}`, encode(value)] as const,
  );
  return {
    'content-type': options.contentType,
    ...(options.cacheControl && { 'cache-control': options.cacheControl }),
    ...Object.fromEntries(metadata),
  };
}

export function statOf(headers: IncomingHttpHeaders): ObjectStat {
  const metadata = Object.entries(headers)
    .filter(([name]) => name.startsWith(META))
    .map(([name, value]) => [name.slice(META.length), decode(String(value))] as const);
  const versionId = headers['x-amz-version-id'];
  return {
    bytes: Number(headers['content-length']),
    etag: (headers.etag ?? '').replace(/^W\//, '').replaceAll('"', ''),
    versionId: versionId === undefined ? undefined : String(versionId),
    contentType: headers['content-type'],
    modifiedAt: new Date(headers['last-modified'] ?? 0),
    metadata: Object.fromEntries(metadata),
  };
}

/** RFC 8187: what `encodeURIComponent` leaves as it is, and a header may not hold, is encoded too. */
export const attachment = (name: string): string =>
  `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)}`;
