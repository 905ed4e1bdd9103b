/** API keys: made, shown once, and recognised. `mm_<id>_<secret>`. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';

import type { Database } from '../catalogue/database.js';
import { findKey, insertKey, touchKey, type KnownKey } from '../catalogue/keys.js';
import type { ApiContext } from './context.js';
import { SCOPES, type Caller, type KeyLimits, type Scope } from './caller.js';
import { ApiProblem } from './problems.js';

const KEY = /^mm_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
/** So late a key that was revoked is refused. Milliseconds. */
const REMEMBERED_MS = 5_000;
const REMEMBERED = 10_000;
const USE_NOTED_MS = 60_000;

interface Keyring {
  /** Those that there aren't are remembered too: guessing costs us no query each. */
  readonly known: LRUCache<string, { readonly key: KnownKey | undefined }>;
  readonly used: LRUCache<string, true>;
}

const keyrings = new WeakMap<Database, Keyring>();

/**
 * @param header `Bearer mm_...`, as `Authorization` or as gRPC metadata of that name
 * @throws ApiProblem `unauthorized`; MediaError CATALOGUE_UNAVAILABLE
 */
export async function authenticate(
  ctx: Pick<ApiContext, 'config' | 'db' | 'logger'>,
  header: string | undefined,
): Promise<Caller> {
  const { http, starter } = ctx.config;
  if (http.auth === 'off') return { tenant: starter.tenant, scopes: SCOPES, limits: {} };
  if (header === undefined) throw new ApiProblem('unauthorized');
  const [, id, secret] = KEY.exec(/^bearer +(\S+)$/i.exec(header)?.[1] ?? '') ?? [];
  if (id === undefined || secret === undefined) throw refusal();
  const keyring = keyringOf(ctx.db);
  const key = (await keyring.known.fetch(id))?.key;
  // In this order: of a key that one does not have, one learns nothing.
  if (!key || !timingSafeEqual(hashOf(secret), key.secretHash)) throw refusal();
  if (key.revokedAt) throw new ApiProblem('unauthorized', { detail: 'This API key was revoked.' });
  if (key.expiresAt && key.expiresAt.getTime() <= Date.now())
    throw new ApiProblem('unauthorized', { detail: 'This API key has expired.' });
  noteUse(ctx, keyring, id);
  return {
    tenant: key.tenant,
    keyId: id,
    scopes: key.scopes as readonly Scope[],
    limits: { ...key.tenantSettings.limits, ...key.limits },
  };
}

const refusal = (): ApiProblem => new ApiProblem('unauthorized', { detail: 'This API key is not valid.' });

function keyringOf(db: Database): Keyring {
  let keyring = keyrings.get(db);
  if (!keyring) {
    keyring = {
      known: new LRUCache({
        max: REMEMBERED,
        ttl: REMEMBERED_MS,
        fetchMethod: async (id) => ({ key: await findKey(db, id) }),
      }),
      used: new LRUCache({ max: REMEMBERED, ttl: USE_NOTED_MS }),
    };
    keyrings.set(db, keyring);
  }
  return keyring;
}

/** Nobody waits for it. */
function noteUse({ db, logger }: Pick<ApiContext, 'db' | 'logger'>, { used }: Keyring, id: string): void {
  if (used.has(id)) return;
  used.set(id, true);
  touchKey(db, id).catch((error: unknown) => logger.debug('the use of a key was not noted', { keyId: id, error }));
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

export interface NewKey {
  readonly tenant: string;
  /** For people. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly limits?: KeyLimits | undefined;
  readonly expiresAt?: Date | undefined;
}

/** @returns the id, and the whole key: it is not kept, and can not be shown again */
export async function createKey(db: Database, wish: NewKey): Promise<{ id: string; key: string }> {
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  const { tenant, name, scopes, expiresAt } = wish;
  const limits = Object.fromEntries(Object.entries(wish.limits ?? {}).filter(([, value]) => value !== undefined));
  await insertKey(db, { id, tenant, name, scopes, limits, expiresAt, secretHash: hashOf(secret) });
  return { id, key: `mm_${id}_${secret}` };
}
