/** What tus 1.0 asks of requests, and what becomes of those that do not keep to it. */
import type { IncomingHttpHeaders } from 'node:http';

import { ApiProblem, type ProblemName } from '../../../api/problems.js';

export const TUS_VERSION = '1.0.0';
/** Of bodies. */
export const TUS_TYPE = 'application/offset+octet-stream';

const BASE64 = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?';
/** A name of ASCII without spaces and commas. */
const PAIR = `[!-+\\--~]+(?: ${BASE64})?`;
export const METADATA_PATTERN = `^${PAIR}(?:,${PAIR})*$`;

const METADATA = new RegExp(METADATA_PATTERN);
const WHOLE = /^(?:0|[1-9]\d{0,15})$/;
/** Of extensions that this server does not have: to pass over them would be to do something else than was asked. */
const FOREIGN = ['upload-concat', 'upload-defer-length'];

/**
 * What the library answers otherwise than the protocol says: another version is 412, another type of body 415; and what
 * a client does wrong is no failure of the server's (501).
 *
 * @throws ApiProblem `tus-version`, `invalid-request`, `unsupported-media-type`
 */
export function checkTus(method: string, headers: IncomingHttpHeaders): void {
  const said = (name: string): string | undefined => headers[name]?.toString();
  if (said('tus-resumable') !== TUS_VERSION)
    throw new ApiProblem('tus-version', { detail: `Send Tus-Resumable: ${TUS_VERSION}.` });
  const foreign = FOREIGN.find((name) => name in headers);
  if (method === 'POST' && foreign !== undefined) throw invalid(`${foreign}: this server has no such extension.`);
  const needed = { POST: 'upload-length', PATCH: 'upload-offset' }[method];
  if (needed !== undefined && said(needed) === undefined) throw invalid(`${needed} is missing.`);
  if (method === 'PATCH' && 'upload-length' in headers) throw invalid('The length is known since the beginning.');
  for (const name of ['upload-length', 'upload-offset'])
    if (!WHOLE.test(said(name) ?? '0')) throw invalid(`${name} must be a whole number of bytes.`);
  const metadata = said('upload-metadata');
  if (metadata !== undefined && !METADATA.test(metadata))
    throw invalid('upload-metadata has pairs of a name and Base64, separated by commas.');
  if (method === 'PATCH' && said('content-type') !== TUS_TYPE)
    throw new ApiProblem('unsupported-media-type', { detail: `The body must be ${TUS_TYPE}.` });
}

const BY_STATUS: Readonly<Record<number, ProblemName>> = {
  400: 'invalid-request',
  403: 'invalid-request',
  404: 'upload-unknown',
  409: 'conflict',
  410: 'upload-expired',
  412: 'tus-version',
  413: 'too-large',
};

/** Answers of the library to what went wrong are not of our form. */
export const problemOf = (status: number, body: string): ApiProblem =>
  new ApiProblem(BY_STATUS[status] ?? 'internal', { detail: body.trim() || undefined });

const invalid = (detail: string): ApiProblem => new ApiProblem('invalid-request', { detail });
