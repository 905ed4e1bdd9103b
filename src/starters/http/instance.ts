/** The framework, as all routes meet it. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import AjvCompiler from '@fastify/ajv-compiler';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify from 'fastify';
import { refuseUnread, type problemHandler } from './problems.js';

/** Of JSON. Routes that take media say otherwise. Bytes. */
const BODY_LIMIT = 64 * 1024;
/** Head of a request. Bodies of media may take hours: `slow-bodies.ts`. Milliseconds. */
const HEADERS_TIMEOUT = 15_000;
const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** An upload of its own. */
const UPLOADS = /^\/v1\/uploads\/[^/]+$/;
const OVERRIDES = ['PATCH', 'DELETE'];

const ajv = { removeAdditional: false, useDefaults: true, allErrors: false };
const compiler = AjvCompiler();
/** A number in JSON is a number; in a URL or a header all is text. */
const validators = {
  body: compiler({}, { customOptions: { ...ajv, coerceTypes: false } }),
  text: compiler({}, { customOptions: { ...ajv, coerceTypes: 'array' } }),
};

/** @param trustedProxies addresses or networks, separated by commas */
export const build = (onError: ReturnType<typeof problemHandler>, trustedProxies = '') =>
  fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: 0,
    http: { headersTimeout: HEADERS_TIMEOUT },
    // A player that keeps its connection open must not keep a stopping server; what is held gets its answer.
    forceCloseConnections: 'idle',
    // What can not be routed: a URL that can not be decoded.
    frameworkErrors: onError,
    clientErrorHandler: refuseUnread,
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 256 },
    trustProxy: trustedProxies === '' ? false : trustedProxies,
    requestIdHeader: false,
    genReqId: requestIdOf,
    rewriteUrl: overrideMethod,
  })
    .setValidatorCompiler((route) => (route.httpPart === 'body' ? validators.body(route) : validators.text(route)))
    .withTypeProvider<TypeBoxTypeProvider>();

export type Server = ReturnType<typeof build>;

/**
 * tus 1.0, "X-HTTP-Method-Override": "If the header is present, the Server MUST interpret its value as the request's
 * method". For those who are let through with no method but GET and POST; before a route is chosen.
 */
function overrideMethod(request: IncomingMessage): string {
  const { method, url = '/', headers } = request;
  const wanted = String(headers['x-http-method-override']).toUpperCase();
  if (method === 'POST' && UPLOADS.test(url) && OVERRIDES.includes(wanted)) request.method = wanted;
  return url;
}

/** The caller's own, where it can stand in a log. */
function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
