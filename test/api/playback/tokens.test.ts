import { createHmac } from 'node:crypto';
import { SignJWT } from 'jose';
import { PlaybackTokens } from '../../../src/api/playback/tokens.js';

const SECRET = 'a secret of more than thirty-two characters';
const tokens = new PlaybackTokens(SECRET);
const claims = {
  assetId: 'a'.repeat(24),
  tenant: 'acme',
  expiresAt: new Date((Math.floor(Date.now() / 1000) + 60) * 1000),
};

const refused = (detail: string) => ({ problem: 'unauthorized', details: { detail } });
const INVALID = refused('This playback token is not valid.');

it('says what was signed, on every instance with the same secret', async () => {
  const token = await tokens.sign(claims);
  expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  expect(await new PlaybackTokens(SECRET).verify(token)).toEqual(claims);
});

it('expires', async () => {
  const token = await tokens.sign({ ...claims, expiresAt: new Date(Date.now() - 2_000) });
  await expect(tokens.verify(token)).rejects.toMatchObject(refused('This playback token has expired.'));
});

it('is of no use where the secret is another, as it is of every process without one', async () => {
  const token = await tokens.sign(claims);
  for (const other of [new PlaybackTokens(''), new PlaybackTokens(''), new PlaybackTokens(`${SECRET}.`)])
    await expect(other.verify(token)).rejects.toMatchObject(INVALID);
});

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const body = { asset: claims.assetId, tenant: 'acme', aud: 'mediamill:play', exp: claims.expiresAt.getTime() / 1000 };
/** By hand: libraries refuse to sign some of these. */
function forge(header: object, payload: object): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

it('accepts what it is meant to accept, when made by hand', async () => {
  expect(await tokens.verify(forge({ alg: 'HS256' }, body))).toEqual(claims);
});

it.each([
  ['nothing', ''],
  ['no token', 'hello'],
  ['unsigned', `${encode({ alg: 'none' })}.${encode(body)}.`],
  ['signed otherwise', forge({ alg: 'HS512' }, body)],
  ['of another audience', forge({ alg: 'HS256' }, { ...body, aud: 'other' })],
  ['for ever', forge({ alg: 'HS256' }, { ...body, exp: undefined })],
  ['of no tenant', forge({ alg: 'HS256' }, { ...body, tenant: undefined })],
  ['of a list of assets', forge({ alg: 'HS256' }, { ...body, asset: [claims.assetId] })],
  ['changed', forge({ alg: 'HS256' }, body).replace(/^([^.]+)\.[^.]+/, `$1.${encode({ ...body, tenant: 'other' })}`)],
  ['too long', `${forge({ alg: 'HS256' }, body)}${'A'.repeat(5_000)}`],
])('refuses what is %s', async (_, token) => {
  await expect(tokens.verify(token)).rejects.toMatchObject(INVALID);
});

it('refuses what a key of another kind has signed', async () => {
  const token = await new SignJWT(body).setProtectedHeader({ alg: 'HS384' }).sign(new TextEncoder().encode(SECRET));
  await expect(tokens.verify(token)).rejects.toMatchObject(INVALID);
});
