/**
 * What can go wrong between a caller and us: the closed list, for every front door. Names are stable,
 * clients may branch on them; HTTP sends them as RFC 9457 types, gRPC as reasons of its own codes.
 */
import type { PublicError } from '../contracts/errors.js';

export const PROBLEMS = {
  'invalid-request': [400, 'The request is not valid.'],
  unauthorized: [401, 'An API key is needed.'],
  forbidden: [403, 'This key may not do that.'],
  embargoed: [403, 'This is not to be seen yet.'],
  'not-found': [404, 'There is nothing here.'],
  'asset-unknown': [404, 'There is no such asset.'],
  'upload-unknown': [404, 'There is no such upload.'],
  'webhook-unknown': [404, 'There is no such webhook.'],
  'asset-not-playable': [404, 'This asset is neither video nor audio.'],
  'method-not-allowed': [405, 'This method is not possible here.'],
  'request-timeout': [408, 'The request took too long to arrive.'],
  conflict: [409, 'This is not possible in its present state.'],
  'idempotency-in-flight': [409, 'A request with this idempotency key is under way.'],
  'asset-deleted': [410, 'This asset was deleted.'],
  'asset-failed': [410, 'Nothing came of this asset.'],
  'upload-expired': [410, 'This upload has expired.'],
  'precondition-failed': [412, 'It has changed since.'],
  'tus-version': [412, 'This version of tus is not spoken here.'],
  'too-large': [413, 'This is larger than allowed.'],
  'unsupported-media-type': [415, 'This type of content is not accepted here.'],
  'idempotency-mismatch': [422, 'This idempotency key was used for another request.'],
  'checksum-mismatch': [422, 'The bytes are not those that were announced.'],
  'deadline-refused': [422, 'These times can not be kept.'],
  'url-refused': [422, 'This URL can not be fetched.'],
  'upload-locked': [423, 'Another request writes to this upload.'],
  'legal-hold': [423, 'This asset is on legal hold.'],
  'precondition-required': [428, 'This needs an If-Match header.'],
  'too-many-requests': [429, 'Too many requests.'],
  'quota-exceeded': [429, 'A quota is used up.'],
  internal: [500, 'Something went wrong on our side.'],
  'not-made-yet': [503, 'This part is not made yet.'],
  busy: [503, 'Too many requests wait for parts that are not made yet.'],
  overloaded: [503, 'This server is too busy right now.'],
  unavailable: [503, 'Something that this service needs can not be reached.'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemName = keyof typeof PROBLEMS;

export interface ProblemDetails {
  /** For people; says the number, the field, the limit. */
  readonly detail?: string | undefined;
  /** Why an asset failed. */
  readonly error?: PublicError | undefined;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
}

export class ApiProblem extends Error {
  readonly status: number;

  constructor(
    readonly problem: ProblemName,
    readonly details: ProblemDetails = {},
  ) {
    super(PROBLEMS[problem][1]);
    this.name = 'ApiProblem';
    this.status = PROBLEMS[problem][0];
  }

  /** Jest evaluates modules more than once: match by shape. */
  static is(error: unknown): error is ApiProblem {
    return error instanceof Error && error.name === 'ApiProblem';
  }
}
