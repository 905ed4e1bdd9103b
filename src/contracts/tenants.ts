/** What is agreed with one tenant. Kept in the catalogue, set by `mediamill tenants`. */
import { Type, type Static } from 'typebox';

const days = (description: string) =>
  Type.Optional(Type.Number({ minimum: -1, maximum: 36_500, description: `${description} -1: never.` }));

export const RetentionSchema = Type.Object(
  {
    rawDays: days('Raw uploads are removed so many days after their asset is ready; 0: at once.'),
    outputDays: days('Assets are deleted after so many days.'),
    failedDays: days('Failed and cancelled assets are deleted after so many days.'),
  },
  { additionalProperties: false },
);

const limit = (description: string) =>
  Type.Optional(
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: `${description} 0: no limit.` }),
  );

export const LimitsSchema = Type.Object(
  {
    requestsPerMinute: limit('Requests of the key.'),
    openUploads: limit('Uploads under way at once.'),
    bytesPerDay: limit('Uploaded in the last 24 hours.'),
    minutesPerDay: limit('Of video and audio, uploaded in the last 24 hours.'),
  },
  { additionalProperties: false },
);

export const TenantSettingsSchema = Type.Object(
  {
    retention: Type.Optional(RetentionSchema),
    /** By profile; what a profile does not say, `retention` says, and what that does not, the configuration. */
    profiles: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' }),
        Type.Object({ retention: Type.Optional(RetentionSchema) }, { additionalProperties: false }),
      ),
    ),
    /** Of each of its keys that has none of its own. */
    limits: Type.Optional(LimitsSchema),
  },
  { additionalProperties: false },
);

export type Retention = Static<typeof RetentionSchema>;
export type TenantSettings = Static<typeof TenantSettingsSchema>;

/** Also what an event may name: a tenant is part of object keys. */
export const TENANT_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';
