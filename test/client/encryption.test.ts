import { randomBytes } from 'node:crypto';

import { defaultPayloadConverter, type Payload } from '@temporalio/common';

import { EncryptionCodec, parseEncryptionKeys } from '../../src/client/encryption.js';

const key = (id: string) => ({ id, key: randomBytes(32) });
const [first, second] = [key('k1'), key('k2')];
const payload = defaultPayloadConverter.toPayload({ key: 'secret/film.mp4', title: 'Über' });
const plain = (one: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(one!);

test('what is encrypted shows nothing but the id of its key, and comes back as it was', async () => {
  const codec = new EncryptionCodec([first]);
  const [encrypted] = await codec.encode([payload]);
  expect(Buffer.from(encrypted!.metadata!['encoding']!).toString()).toBe('binary/encrypted');
  expect(Buffer.from(encrypted!.metadata!['encryption-key-id']!).toString()).toBe('k1');
  expect(Buffer.from(encrypted!.data!).toString('latin1')).not.toContain('film');
  expect(plain((await codec.decode([encrypted!]))[0])).toEqual(plain(payload));
});

test('the same twice is two different texts', async () => {
  const codec = new EncryptionCodec([first]);
  const [a, b] = await codec.encode([payload, payload]);
  expect(Buffer.from(a!.data!).equals(Buffer.from(b!.data!))).toBe(false);
});

test('a new key encrypts while the old one still decrypts', async () => {
  const [old] = await new EncryptionCodec([first]).encode([payload]);
  const rotated = new EncryptionCodec([second, first]);
  const [fresh] = await rotated.encode([payload]);
  expect(Buffer.from(fresh!.metadata!['encryption-key-id']!).toString()).toBe('k2');
  expect((await rotated.decode([old!, fresh!])).map(plain)).toEqual([plain(payload), plain(payload)]);
});

test('what was never encrypted passes: work that began without keys goes on', async () => {
  expect(await new EncryptionCodec([first]).decode([payload])).toEqual([payload]);
});

test('another key, or bytes that were changed, are refused', async () => {
  const [encrypted] = await new EncryptionCodec([first]).encode([payload]);
  await expect(new EncryptionCodec([second]).decode([encrypted!])).rejects.toThrow('There is no encryption key k1.');
  await expect(new EncryptionCodec([{ ...second, id: 'k1' }]).decode([encrypted!])).rejects.toThrow();
  const data = Buffer.from(encrypted!.data!);
  data[20]! ^= 1;
  await expect(new EncryptionCodec([first]).decode([{ ...encrypted, data }])).rejects.toThrow();
  await expect(new EncryptionCodec([first]).decode([{ ...encrypted, data: data.subarray(0, 10) }])).rejects.toThrow(
    'too short',
  );
});

test('keys are read from a setting, and nonsense is not taken for one', () => {
  const text = `a:${first.key.toString('base64')}, b:${second.key.toString('base64')}`;
  expect(parseEncryptionKeys(text)).toEqual([
    { id: 'a', key: first.key },
    { id: 'b', key: second.key },
  ]);
  expect(parseEncryptionKeys('')).toEqual([]);
  for (const wrong of ['a', 'a:', `:${first.key.toString('base64')}`, 'a:c2hvcnQ=', 'a:b:c'])
    expect(() => parseEncryptionKeys(wrong)).toThrow('an encryption key is');
});
