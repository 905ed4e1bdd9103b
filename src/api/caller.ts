/** Who asks. Every use-case is given one, and shows it nothing of other tenants. */
import { ApiProblem } from './problems.js';

export const SCOPES = ['read', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** 0 or absent: no limit of its own. */
export interface KeyLimits {
  readonly requestsPerMinute?: number | undefined;
  /** Uploads under way at once. */
  readonly openUploads?: number | undefined;
  /** Uploaded in the last 24 hours. */
  readonly bytesPerDay?: number | undefined;
  /** Of video and audio, uploaded in the last 24 hours. */
  readonly minutesPerDay?: number | undefined;
}

export interface Caller {
  readonly tenant: string;
  /** Id of the API key; absent where keys are off. */
  readonly keyId?: string | undefined;
  readonly scopes: readonly Scope[];
  readonly limits: KeyLimits;
}

/** `admin` may all, `write` may read. */
export function allows({ scopes }: Caller, scope: Scope): boolean {
  return scopes.includes('admin') || scopes.includes(scope) || (scope === 'read' && scopes.includes('write'));
}

/** @throws ApiProblem `forbidden` */
export function mustAllow(caller: Caller, scope: Scope): void {
  if (!allows(caller, scope)) throw new ApiProblem('forbidden', { detail: `This key lacks the scope ${scope}.` });
}
