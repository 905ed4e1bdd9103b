/** Signatures for many objects at once (AWS Signature Version 4, by query). */
import { createHash, createHmac } from 'node:crypto';

const SIGNATURE = '&X-Amz-Signature=';

/** RFC 3986, and slashes as they are. */
const escapePath = (key: string): string =>
  encodeURIComponent(key)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/');

const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * The client derives the signing key anew for every URL, 90 microseconds each: a film has thousands of segments.
 * All but path and signature is taken from a URL that the client signed, its way to address the bucket included.
 *
 * @param signed by the client, a GET of `key`
 * @returns what signs a GET of another key of the same bucket, for the same time
 */
export function signLike(signed: string, key: string, secretKey: string): (key: string) => string {
  const [url, signature] = signed.split(SIGNATURE);
  const { origin, host, pathname, search, searchParams } = new URL(url!);
  const path = escapePath(key);
  const scope = searchParams.get('X-Amz-Credential')?.split('/').slice(1);
  const date = searchParams.get('X-Amz-Date');
  if (!signature || !pathname.endsWith(path) || !scope || !date) throw new TypeError('not a signed URL of this key');
  const folder = pathname.slice(0, pathname.length - path.length);
  const signingKey = scope.reduce<Buffer | string>(hmac, `AWS4${secretKey}`);
  const query = search.slice(1).split('&').sort().join('&');
  const sign = (resource: string): string => {
    const request = `GET\n${resource}\n${query}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`;
    const digest = createHash('sha256').update(request).digest('hex');
    return createHmac('sha256', signingKey)
      .update(`AWS4-HMAC-SHA256\n${date}\n${scope.join('/')}\n${digest}`)
      .digest('hex');
  };
  // Ours and the client's must be the same: a store that it addresses otherwise would refuse all of them.
  if (sign(pathname) !== signature) throw new TypeError('this signature can not be made again');
  return (other) => {
    const resource = folder + escapePath(other);
    return `${origin}${resource}${search}${SIGNATURE}${sign(resource)}`;
  };
}
