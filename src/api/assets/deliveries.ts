/** What an asset is delivered to, as callers see it. */
import { Type, type Static } from 'typebox';

import type { Delivery } from '../../catalogue/deliveries.js';
import { DELIVERY_STATES } from '../../contracts/targets.js';

export const DeliverySchema = Type.Object(
  {
    target: Type.String({ description: 'As its operator calls it.' }),
    required: Type.Boolean({ description: 'A deadline is met only when it has answered.' }),
    state: Type.Enum([...DELIVERY_STATES], { description: '`failing`: tried in vain, and tried again.' }),
    failures: Type.Integer({ description: 'Attempts in vain.' }),
    error: Type.Optional(Type.String({ description: 'Of the last one.' })),
    deliveredAt: Type.Optional(Type.String({ format: 'date-time' })),
  },
  { additionalProperties: false },
);

export const deliveryOf = ({
  target,
  required,
  state,
  failures,
  error,
  deliveredAt,
}: Delivery): Static<typeof DeliverySchema> => ({
  target,
  required,
  state,
  failures,
  ...(error !== null && { error }),
  ...(deliveredAt && { deliveredAt: deliveredAt.toISOString() }),
});
