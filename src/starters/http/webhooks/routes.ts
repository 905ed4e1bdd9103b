/** `/v1/webhooks`: where a tenant's events go, what was sent, and sending it again. */
import { Type } from 'typebox';

import type { ApiContext } from '../../../api/context.js';
import { ApiProblem } from '../../../api/problems.js';
import { replayOne, replaySince, sendTest, webhookDeliveries } from '../../../api/webhooks/deliveries.js';
import {
  changeWebhook,
  createWebhook,
  getWebhook,
  listWebhooks,
  removeWebhook,
  rotateSecret,
} from '../../../api/webhooks/endpoints.js';
import {
  DeliverySchema,
  DeliveryStateSchema,
  EventTypesSchema,
  UrlSchema,
  WebhookSchema,
  WebhookWithSecretSchema,
} from '../../../api/webhooks/resource.js';
import type { Server } from '../instance.js';

const id = (description: string) => Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description });
const strict = { additionalProperties: false };
const LIMIT = 50;

const Webhook = Type.Object({ id: id('Of the webhook.') });
const Delivery = Type.Object({ id: id('Of the webhook.'), deliveryId: id('Of the delivery.') });
const Sent = Type.Object({ deliveryId: Type.String() });

const config = { access: 'admin' } as const;
const tags = ['webhooks'];
const BASE = '/v1/webhooks';

export function registerWebhooks(server: Server, ctx: ApiContext): void {
  registerEndpoints(server, ctx);
  registerDeliveries(server, ctx);
}

function registerEndpoints(server: Server, ctx: ApiContext): void {
  server.post(
    BASE,
    {
      config,
      schema: {
        ...{ tags, summary: 'Have events sent to a URL' },
        body: Type.Object({ url: UrlSchema, events: Type.Optional(EventTypesSchema) }, strict),
        response: { 201: WebhookWithSecretSchema },
      },
    },
    async (request, reply) => {
      const webhook = await createWebhook(ctx, request.caller, request.body);
      return reply.code(201).header('location', `${BASE}/${webhook.id}`).send(webhook);
    },
  );
  server.get(
    BASE,
    {
      config,
      schema: {
        ...{ tags, summary: 'All webhooks' },
        response: { 200: Type.Object({ items: Type.Array(WebhookSchema) }) },
      },
    },
    async ({ caller }) => ({ items: await listWebhooks(ctx, caller) }),
  );
  server.get(
    `${BASE}/:id`,
    { config, schema: { tags, summary: 'One webhook', params: Webhook, response: { 200: WebhookSchema } } },
    ({ caller, params }) => getWebhook(ctx, caller, params.id),
  );
  server.patch(
    `${BASE}/:id`,
    {
      config,
      schema: {
        ...{ tags, summary: 'Change its URL or events, turn it off or on', params: Webhook },
        body: Type.Object(
          {
            url: Type.Optional(UrlSchema),
            events: Type.Optional(EventTypesSchema),
            enabled: Type.Optional(Type.Boolean()),
          },
          strict,
        ),
        response: { 200: WebhookSchema },
      },
    },
    ({ caller, params, body }) => changeWebhook(ctx, caller, params.id, body),
  );
  server.delete(
    `${BASE}/:id`,
    {
      config,
      schema: {
        ...{ tags, summary: 'Remove it and what is known of its deliveries', params: Webhook },
        response: { 204: Type.Null() },
      },
    },
    async ({ caller, params }, reply) => {
      await removeWebhook(ctx, caller, params.id);
      return reply.code(204).send(null);
    },
  );
  server.post(
    `${BASE}/:id/rotate-secret`,
    {
      config,
      schema: {
        ...{ tags, summary: 'Give it a new secret', params: Webhook },
        body: Type.Object(
          {
            keepHours: Type.Optional(
              Type.Number({
                ...{ minimum: 0, maximum: 720, default: 24 },
                description: 'For so long the old secret signs beside the new one.',
              }),
            ),
          },
          strict,
        ),
        response: { 200: WebhookWithSecretSchema },
      },
    },
    ({ caller, params, body }) => rotateSecret(ctx, caller, params.id, body.keepHours ?? 24),
  );
}

function registerDeliveries(server: Server, ctx: ApiContext): void {
  server.post(
    `${BASE}/:id/test`,
    {
      config,
      schema: { ...{ tags, summary: 'Send a test event', params: Webhook }, response: { 202: Sent } },
    },
    async ({ caller, params }, reply) => reply.code(202).send({ deliveryId: await sendTest(ctx, caller, params.id) }),
  );
  server.get(
    `${BASE}/:id/deliveries`,
    {
      config,
      schema: {
        ...{ tags, summary: 'What was sent, newest first', params: Webhook },
        querystring: Type.Object(
          {
            state: Type.Optional(DeliveryStateSchema),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: LIMIT })),
            cursor: Type.Optional(id('`next` of the page before.')),
          },
          strict,
        ),
        response: { 200: Type.Object({ items: Type.Array(DeliverySchema), next: Type.Optional(Type.String()) }) },
      },
    },
    ({ caller, params, query: { limit = LIMIT, ...query } }) =>
      webhookDeliveries(ctx, caller, params.id, { ...query, limit }),
  );
  server.post(
    `${BASE}/:id/deliveries/:deliveryId/replay`,
    {
      config,
      schema: { ...{ tags, summary: 'Send one event again', params: Delivery }, response: { 202: Sent } },
    },
    async ({ caller, params }, reply) =>
      reply.code(202).send({ deliveryId: await replayOne(ctx, caller, params.id, params.deliveryId) }),
  );
  server.post(
    `${BASE}/:id/replay`,
    {
      config,
      schema: {
        ...{ tags, summary: 'Send again what was sent since a time', params: Webhook },
        body: Type.Object(
          {
            since: Type.String({ format: 'date-time' }),
            until: Type.Optional(Type.String({ format: 'date-time', description: 'Default: now.' })),
            states: Type.Optional(
              Type.Array(DeliveryStateSchema, {
                ...{ uniqueItems: true, minItems: 1, maxItems: 3 },
                description: 'Only deliveries in these states. Default: failed.',
              }),
            ),
          },
          strict,
        ),
        response: { 202: Type.Object({ deliveries: Type.Integer({ description: 'At most 10,000 at once.' }) }) },
      },
    },
    async ({ caller, params, body }, reply) => {
      const deliveries = await replaySince(ctx, caller, params.id, {
        since: dateOf(body.since),
        until: body.until === undefined ? new Date() : dateOf(body.until),
        states: body.states ?? ['failed'],
      });
      return reply.code(202).send({ deliveries });
    },
  );
}

/** RFC 3339 knows dates, as of leap seconds, that JavaScript does not. */
function dateOf(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new ApiProblem('invalid-request', { detail: `${text} is no date.` });
  return date;
}
