/** Webhooks as their owners see them; the schemas are the documentation too. */
import { Type, type Static } from 'typebox';

import type { WebhookEndpoint } from '../../catalogue/webhook-endpoints.js';
import type { Delivery } from '../../catalogue/webhooks.js';
import { WEBHOOK_EVENT_TYPES } from '../../contracts/webhooks.js';

const date = (description: string) => Type.String({ format: 'date-time', description });

export const EventTypesSchema = Type.Array(Type.Enum([...WEBHOOK_EVENT_TYPES]), {
  uniqueItems: true,
  maxItems: WEBHOOK_EVENT_TYPES.length,
  description: 'Types of events to send. Empty: all.',
});

export const UrlSchema = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'Where events are sent to: HTTPS, on a public address.',
});

export const WebhookSchema = Type.Object({
  id: Type.String(),
  url: Type.String(),
  events: EventTypesSchema,
  enabled: Type.Boolean({ description: 'Off after the receiver answered 410, until it is turned on again.' }),
  createdAt: date('When it was made.'),
  updatedAt: date('When it was changed last.'),
});
export type Webhook = Static<typeof WebhookSchema>;

export const WebhookWithSecretSchema = Type.Object({
  ...WebhookSchema.properties,
  secret: Type.String({ description: 'Verifies the signatures. Shown this once.' }),
});
export type WebhookWithSecret = Static<typeof WebhookWithSecretSchema>;

export const DeliveryStateSchema = Type.Enum(['pending', 'delivered', 'failed']);

export const DeliverySchema = Type.Object({
  id: Type.String(),
  eventId: Type.String({ description: 'The header `webhook-id`: the same for a delivery and its replays.' }),
  type: Type.String(),
  state: DeliveryStateSchema,
  attempts: Type.Integer(),
  lastStatus: Type.Optional(Type.Integer({ description: 'HTTP status of the last answer.' })),
  lastError: Type.Optional(Type.String({ description: 'What went wrong last.' })),
  event: Type.Unsafe<Delivery['event']>(Type.Object({}, { additionalProperties: true, description: 'The body.' })),
  createdAt: date('When the event happened or was sent again.'),
  updatedAt: date('When it was tried last.'),
});
export type WebhookDelivery = Static<typeof DeliverySchema>;

export const webhookOf = ({ id, url, events, enabled, createdAt, updatedAt }: WebhookEndpoint): Webhook => ({
  id,
  url,
  events: events as Webhook['events'],
  enabled,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});

export const deliveryOf = (delivery: Delivery): WebhookDelivery => ({
  id: delivery.id,
  eventId: delivery.eventId,
  type: delivery.type,
  state: delivery.state,
  attempts: delivery.attempts,
  lastStatus: delivery.lastStatus ?? undefined,
  lastError: delivery.lastError ?? undefined,
  event: delivery.event,
  createdAt: delivery.createdAt.toISOString(),
  updatedAt: delivery.updatedAt.toISOString(),
});
