/**
 * Encryption of what Temporal is given: its servers and their operators then see ids, queues, search attributes and
 * the sentences of failures, but neither arguments, results nor progress. The layout is that of Temporal's own samples.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import { ValueError } from '@temporalio/common';
import proto from '@temporalio/proto';

const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
/** AES-256-GCM, NIST SP 800-38D: a nonce of 96 bits, a tag of 128. Bytes. */
const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/**
 * @param text `temporal.encryptionKeys`: `<id>:<Base64 of 32 bytes>`, comma-separated
 * @throws TypeError when it is not that
 */
export function parseEncryptionKeys(text: string): EncryptionKey[] {
  if (text === '') return [];
  return text.split(',').map((entry) => {
    const [id, base64, more] = entry.trim().split(':');
    const key = Buffer.from(base64 ?? '', 'base64');
    if (!id || key.length !== 32 || more !== undefined)
      throw new TypeError('an encryption key is <id>:<Base64 of 32 bytes>');
    return { id, key };
  });
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (value: Uint8Array | null | undefined): string => Buffer.from(value ?? []).toString();

/** The first key encrypts, every key decrypts. What is not encrypted passes: work that began without keys goes on. */
export class EncryptionCodec implements PayloadCodec {
  readonly #first: EncryptionKey;
  readonly #keys: ReadonlyMap<string, Buffer>;

  constructor(keys: readonly EncryptionKey[]) {
    const [first] = keys;
    if (!first) throw new TypeError('encryption needs a key');
    this.#first = first;
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((payload) => this.#encrypt(payload)));
  }

  /** Rejects where the key is not known, or the bytes are not those that were encrypted. */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) =>
      textOf(payload.metadata?.['encoding']) === ENCODING ? this.#decrypt(payload) : payload,
    );
  }

  #encrypt(payload: Payload): Payload {
    const { id, key } = this.#first;
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(CIPHER, key, nonce);
    const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
    return {
      metadata: { encoding: bytes(ENCODING), [KEY_ID]: bytes(id) },
      data: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
    };
  }

  #decrypt({ metadata, data }: Payload): Payload {
    const id = textOf(metadata?.[KEY_ID]);
    const key = this.#keys.get(id);
    if (!key) throw new ValueError(`There is no encryption key ${id}.`);
    const box = Buffer.from(data ?? []);
    if (box.length < NONCE + TAG) throw new ValueError('An encrypted payload is too short.');
    const decipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE));
    decipher.setAuthTag(box.subarray(-TAG));
    const plain = Buffer.concat([decipher.update(box.subarray(NONCE, -TAG)), decipher.final()]);
    return proto.temporal.api.common.v1.Payload.decode(plain);
  }
}

/** For every client and worker: they must all have the same keys. @param keys as `parseEncryptionKeys` reads them */
export function dataConverterOf(keys: string | undefined): DataConverter | undefined {
  return keys ? { payloadCodecs: [new EncryptionCodec(parseEncryptionKeys(keys))] } : undefined;
}
