/** The same bytes of one tenant are made once: what is to be measured must be made each time. */
import { randomUUID } from 'node:crypto';

/** A tenant that has nothing yet. */
export const ownTenant = (): string => `bench-${randomUUID().slice(0, 8)}`;

/** The same JPEG with other bytes: a comment after its first marker (ITU-T T.81, B.2.4.5). */
export function stamped(jpeg: Buffer, text: string = randomUUID()): Buffer {
  const comment = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(0xfffe, 0);
  head.writeUInt16BE(comment.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, comment, jpeg.subarray(2)]);
}
