/** `/openapi.json` (OpenAPI 3.1), made of the routes' own schemas, and pages that show it at `/docs`. */
import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Type } from 'typebox';
import type { Config } from '../../config/schema.js';
import { PROBLEMS, type ProblemName } from '../../api/problems.js';
import { ErrorSchema } from '../../api/assets/schemas.js';
import { baseUrl } from '../../api/urls.js';
import type { Server } from './instance.js';
import { PROBLEM_MIME } from './problems.js';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const names = Object.keys(PROBLEMS) as ProblemName[];

export const ProblemSchema = Type.Object(
  {
    type: Type.Enum(
      names.map((name) => `urn:mediamill:problem:${name}`),
      { description: 'Stable: branch on it.' },
    ),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.Optional(Type.String({ description: 'For people.' })),
    instance: Type.String({ description: 'Names this very occurrence; `x-request-id` without its prefix.' }),
    error: Type.Optional(ErrorSchema),
  },
  { description: 'RFC 9457.' },
);

export const problem = (description: string) => ({
  description,
  content: { [PROBLEM_MIME]: { schema: ProblemSchema } },
});
/** Whatever the route: its key may be wrong, the server too busy. */
const EVERYWHERE = { '4xx': problem('What the caller can mend.'), '5xx': problem('What the caller can not mend.') };

const DESCRIPTION = `Uploads become playable video and sized images.

Every request needs \`Authorization: Bearer mm_...\` (\`mediamill keys create\`), unless the server runs without keys on
loopback. Errors are problems of RFC 9457; their \`type\` is stable. Send an \`Idempotency-Key\` with POST and PATCH to
repeat a request safely within 24 hours. \`429\` and \`503\` say when to come again in \`Retry-After\`.`;

const TAGS = [
  ['assets', 'What came in, and what was made of it.'],
  ['uploads', 'Ways in.'],
  ['playback', 'What players ask for.'],
  ['webhooks', 'Who is told of what happens.'],
  ['images', "The image service's own endpoints."],
  ['health', 'For supervisors.'],
] as const;

/** CDN of nobody, script of nobody else. */
const CSP =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; frame-ancestors 'self'";

/** Before the routes: it sees those that follow. */
export async function registerOpenApi(server: Server, config: Config): Promise<void> {
  // The pages are not ours to configure.
  server.addHook('onRoute', (route) => {
    if (route.url.startsWith('/docs')) route.config = { ...route.config, access: 'open' };
  });
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Mediamill', version, description: DESCRIPTION },
      servers: [{ url: baseUrl(config) }],
      tags: TAGS.map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key.' } } },
      security: config.http.auth === 'keys' ? [{ key: [] }] : [],
    },
    transform: ({ schema, url }) => ({
      url: url.replace(/\*$/, ':path'),
      schema: {
        ...schema,
        params: withNames(schema?.params),
        response: { ...EVERYWHERE, ...(schema?.response as object | undefined) },
      },
    }),
    transformObject: (made) => ('openapiObject' in made ? withOptionalBodies(made.openapiObject) : made.swaggerObject),
  });
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CSP,
    uiConfig: { deepLinking: true, tryItOutEnabled: true },
  });
  server.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, () => server.swagger());
}

/** Of a route that does with no body at all; the library takes every body for required. */
export const OPTIONAL_BODY = { 'x-optional-body': true } as const;

function withOptionalBodies<T extends { paths?: object }>(document: T): T {
  for (const path of Object.values(document.paths ?? {}))
    for (const operation of Object.values(path as Record<string, { requestBody?: { required: boolean } }>))
      if ('x-optional-body' in operation && operation.requestBody) operation.requestBody.required = false;
  return document;
}

/** A wildcard has no name that could stand in a document. */
function withNames(params: unknown): unknown {
  const { properties } = (params ?? {}) as { properties?: Record<string, unknown> };
  if (!properties || !('*' in properties)) return params;
  const { '*': path, ...others } = properties;
  const names = Object.keys(others);
  return { type: 'object', properties: { ...others, path }, required: [...names, 'path'] };
}
