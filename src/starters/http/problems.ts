/** Errors as RFC 9457 says: `application/problem+json`. Types are stable: clients may branch on them. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { asProblem } from '../../api/failures.js';
import { ApiProblem } from '../../api/problems.js';
import type { Logger } from '../../logging/logger.js';

export const TYPE = 'urn:mediamill:problem:';
export const PROBLEM_MIME = 'application/problem+json';

/** Of fastify and its plugins. */
const BY_CODE: Readonly<Record<string, ConstructorParameters<typeof ApiProblem>[0]>> = {
  // No id is that long.
  FST_ERR_MAX_PARAM_LENGTH: 'not-found',
  FST_ERR_CTP_BODY_TOO_LARGE: 'too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
};

function problemOf(error: FastifyError | Error): ApiProblem {
  const problem = asProblem(error);
  if (problem.problem !== 'internal') return problem;
  const { validation, code, statusCode, message } = error as Partial<FastifyError>;
  if (validation) return new ApiProblem('invalid-request', { detail: message });
  const known = code === undefined ? undefined : BY_CODE[code];
  if (known) return new ApiProblem(known, { detail: message });
  // A URL that can not be decoded, a body that is not JSON.
  if (statusCode !== undefined && statusCode < 500) return new ApiProblem('invalid-request', { detail: message });
  return problem;
}

/** @param requestId names this very occurrence, for our log */
export function bodyOf({ problem, message, status, details }: ApiProblem, requestId: string): Record<string, unknown> {
  const { detail, error } = details;
  const instance = `urn:mediamill:request:${requestId}`;
  return { type: TYPE + problem, title: message, status, detail, instance, error };
}

export function problemHandler(logger: Logger) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemOf(error);
    const { id, method, url } = request;
    // Without its query, where tokens are.
    const [path] = url.split('?', 1);
    if (problem.problem === 'internal') logger.error('request failed', { requestId: id, method, path, error });
    const { retryAfter } = problem.details;
    if (retryAfter !== undefined) void reply.header('retry-after', Math.ceil(retryAfter));
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="mediamill"');
    void reply
      .code(problem.status)
      .header('cache-control', 'no-store')
      .type(`${PROBLEM_MIME}; charset=utf-8`)
      // As text: a route's own schemas say nothing of it.
      .serializer((body) => body as string)
      .send(JSON.stringify(bodyOf(problem, id)));
  };
}

/** What Node's parser says of a request that never became one. */
const UNREAD: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
};

/** Answers what no route ever sees: a head that is too large, too slow, or no HTTP. */
export function refuseUnread(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] = UNREAD[error.code ?? ''] ?? [400, 'Bad Request'];
  const problem = new ApiProblem(status === 408 ? 'request-timeout' : 'invalid-request', { detail: `${reason}.` });
  const body = JSON.stringify({ ...bodyOf(problem, randomUUID()), status });
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    `content-type: ${PROBLEM_MIME}; charset=utf-8`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
