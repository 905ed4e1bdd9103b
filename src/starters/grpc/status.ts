/**
 * Errors as gRPC tells them: a status code, a sentence, and for programs the details of the "richer error model"
 * (https://grpc.io/docs/guides/error/#richer-error-model): `google.rpc.ErrorInfo` and `google.rpc.RetryInfo`.
 */
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { fromJSON, type MessageTypeDefinition } from '@grpc/proto-loader';

import type { ApiProblem, ProblemName } from '../../api/problems.js';

const DOMAIN = 'mediamill';
const DETAILS = 'grpc-status-details-bin';

/** What a status of HTTP is called here, and where a name says more. */
const BY_HTTP: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  408: status.DEADLINE_EXCEEDED,
  405: status.UNIMPLEMENTED,
  409: status.FAILED_PRECONDITION,
  410: status.FAILED_PRECONDITION,
  412: status.ABORTED,
  413: status.INVALID_ARGUMENT,
  415: status.INVALID_ARGUMENT,
  422: status.INVALID_ARGUMENT,
  423: status.FAILED_PRECONDITION,
  428: status.FAILED_PRECONDITION,
  429: status.RESOURCE_EXHAUSTED,
  503: status.UNAVAILABLE,
};
const BY_NAME: Partial<Record<ProblemName, status>> = {
  'asset-deleted': status.NOT_FOUND,
  'checksum-mismatch': status.DATA_LOSS,
};

// Names, types and numbers of github.com/googleapis/googleapis, google/rpc and google/protobuf.
const field = (type: string, id: number, more: object = {}) => ({ type, id, ...more });
const rpc = fromJSON(
  {
    nested: {
      Any: { fields: { typeUrl: field('string', 1), value: field('bytes', 2) } },
      Duration: { fields: { seconds: field('int64', 1), nanos: field('int32', 2) } },
      Status: {
        fields: {
          code: field('int32', 1),
          message: field('string', 2),
          details: field('Any', 3, { rule: 'repeated' }),
        },
      },
      ErrorInfo: {
        fields: {
          reason: field('string', 1),
          domain: field('string', 2),
          metadata: field('string', 3, { keyType: 'string' }),
        },
      },
      RetryInfo: { fields: { retryDelay: field('Duration', 1) } },
    },
  },
  { keepCase: true },
);
const message = (name: string) => rpc[name] as MessageTypeDefinition<object, object>;
const any = (name: string, value: object) => ({
  typeUrl: `type.googleapis.com/google.rpc.${name}`,
  value: message(name).serialize(value),
});

/** `asset-unknown` is `ASSET_UNKNOWN` here: what ErrorInfo asks a reason to look like. */
const reasonOf = (problem: ProblemName): string => problem.toUpperCase().replaceAll('-', '_');

export function statusOf({ problem, status: http, message: title, details }: ApiProblem): StatusObject {
  const code = BY_NAME[problem] ?? BY_HTTP[http] ?? status.INTERNAL;
  const text = [title, details.detail].filter(Boolean).join(' ');
  const info = { reason: reasonOf(problem), domain: DOMAIN, metadata: details.error ? { ...details.error } : {} };
  const retry =
    details.retryAfter === undefined ? [] : [any('RetryInfo', { retryDelay: { seconds: details.retryAfter } })];
  const metadata = new Metadata();
  const rich = message('Status').serialize({ code, message: text, details: [any('ErrorInfo', info), ...retry] });
  metadata.set(DETAILS, rich);
  return { code, details: text, metadata };
}
