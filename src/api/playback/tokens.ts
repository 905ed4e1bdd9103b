/** Playback tokens: one asset, for a while, in the hands of whoever watches it. JWT (RFC 7519), HS256. */
import { randomBytes } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { ApiProblem } from '../problems.js';

export interface PlaybackClaims {
  readonly assetId: string;
  readonly tenant: string;
  readonly expiresAt: Date;
}

/** No other token that is signed with the same secret is one of these. */
const AUDIENCE = 'mediamill:play';
const ALGORITHM = 'HS256';

export class PlaybackTokens {
  readonly #key: Uint8Array;

  /** @param secret empty: one of its own, so that tokens are good until the process ends */
  constructor(secret: string) {
    this.#key = secret === '' ? randomBytes(32) : new TextEncoder().encode(secret);
  }

  async sign({ assetId, tenant, expiresAt }: PlaybackClaims): Promise<string> {
    return new SignJWT({ asset: assetId, tenant })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setAudience(AUDIENCE)
      .setExpirationTime(expiresAt)
      .sign(this.#key);
  }

  /** @throws ApiProblem `unauthorized` */
  async verify(token: string): Promise<PlaybackClaims> {
    try {
      const { payload } = await jwtVerify<{ asset: unknown; tenant: unknown }>(token, this.#key, {
        algorithms: [ALGORITHM],
        audience: AUDIENCE,
        requiredClaims: ['exp', 'asset', 'tenant'],
      });
      const { asset, tenant, exp } = payload;
      if (typeof asset !== 'string' || typeof tenant !== 'string') throw new errors.JWTInvalid();
      return { assetId: asset, tenant, expiresAt: new Date(exp! * 1000) };
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        throw new ApiProblem('unauthorized', { detail: 'This playback token has expired.' });
      if (error instanceof errors.JOSEError)
        throw new ApiProblem('unauthorized', { detail: 'This playback token is not valid.' });
      throw error;
    }
  }
}
