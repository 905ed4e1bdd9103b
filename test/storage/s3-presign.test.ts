import { Client } from 'minio';
import { signLike } from '../../src/storage/s3-presign.js';

const login = { accessKey: 'key', secretKey: 'secret', region: 'eu-west-3' };
const AT = new Date('2026-11-21T18:00:00Z');

it.each([
  ['a path of the store', { endPoint: '127.0.0.1', port: 9000, useSSL: false }],
  ['a port of its scheme', { endPoint: 's3.example', port: 443, useSSL: true }],
  ['a host of the bucket', { endPoint: 's3.amazonaws.com', useSSL: true }],
  ['a temporary login', { endPoint: 's3.example', useSSL: true, sessionToken: 'se/ss+ion=' }],
])('signs as the client does: %s', async (_, address) => {
  const client = new Client({ ...login, ...address });
  const byClient = (key: string): Promise<string> => client.presignedGetObject('media', key, 600, {}, AT);
  const sign = signLike(await byClient('assets/a/g1/'), 'assets/a/g1/', login.secretKey);
  for (const key of ['assets/a/g1/video/720p/seg-00000.m4s', "it's (ü) *!/50%+&?#=~.mp4", 'assets/a/g1/'])
    expect(sign(key)).toBe(await byClient(key));
});

it('refuses what it could not sign alike', async () => {
  const client = new Client({ ...login, endPoint: 's3.example' });
  const signed = await client.presignedGetObject('media', 'a', 600, {}, AT);
  expect(() => signLike(signed, 'a', 'another secret')).toThrow(TypeError);
  expect(() => signLike(signed, 'b', login.secretKey)).toThrow(TypeError);
  expect(() => signLike('https://s3.example/media/a', 'a', login.secretKey)).toThrow(TypeError);
});
