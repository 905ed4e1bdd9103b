/** Errors as RFC 9457 says: `application/problem+json`. Types are stable: clients may branch on them. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { MediaError, type PublicError } from '../../contracts/errors.js';
import type { Logger } from '../../logging/logger.js';

const PROBLEMS = {
  'invalid-request': [400, 'The request is not valid.'],
  'not-found': [404, 'There is nothing here.'],
  'asset-unknown': [404, 'There is no such asset.'],
  'asset-not-playable': [404, 'This asset is neither video nor audio.'],
  'asset-deleted': [410, 'This asset was deleted.'],
  'asset-failed': [410, 'Nothing came of this asset.'],
  'not-made-yet': [503, 'This part is not made yet.'],
  busy: [503, 'Too many requests wait for parts that are not made yet.'],
  unavailable: [503, 'Something that this service needs can not be reached.'],
  internal: [500, 'Something went wrong on our side.'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemName = keyof typeof PROBLEMS;

const TYPE = 'urn:mediamill:problem:';
const MIME = 'application/problem+json; charset=utf-8';

interface Details {
  readonly detail?: string | undefined;
  /** Why an asset failed. */
  readonly error?: PublicError | undefined;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
}

export class Problem extends Error {
  readonly status: number;

  constructor(
    readonly problem: ProblemName,
    readonly details: Details = {},
  ) {
    super(PROBLEMS[problem][1]);
    this.name = 'Problem';
    this.status = PROBLEMS[problem][0];
  }

  get body(): Record<string, unknown> {
    const { detail, error } = this.details;
    return { type: TYPE + this.problem, title: this.message, status: this.status, detail, error };
  }
}

function asProblem(error: FastifyError): Problem {
  if (error instanceof Problem) return error;
  if (error.validation) return new Problem('invalid-request', { detail: error.message });
  if (MediaError.is(error) && ['STORE_UNAVAILABLE', 'CATALOGUE_UNAVAILABLE'].includes(error.code)) {
    return new Problem('unavailable', { detail: error.message, retryAfter: 2 });
  }
  // No id is that long.
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH') return new Problem('not-found');
  // Fastify's own: a URL that can not be decoded, a body that is too large.
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return new Problem('invalid-request', { detail: error.message });
  }
  return new Problem('internal');
}

export function problemHandler(logger: Logger) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = asProblem(error);
    if (problem.problem === 'internal')
      logger.error('request failed', { method: request.method, url: request.url, error });
    if (problem.details.retryAfter !== undefined) void reply.header('retry-after', problem.details.retryAfter);
    void reply.code(problem.status).header('cache-control', 'no-store').type(MIME).send(problem.body);
  };
}
