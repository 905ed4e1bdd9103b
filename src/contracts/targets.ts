/** Targets: where a published asset is delivered to. An operator names them in a file of their own (`publishers.targets`). */
import { Type, type Static } from 'typebox';

const word = Type.Literal;
const seconds = (description: string, maximum: number) => Type.Number({ minimum: 0, maximum, description });
/** `env:NAME` stands for the value of an environment variable. */
const secret = (description: string) =>
  Type.String({ minLength: 1, description: `${description} \`env:NAME\`: from there.` });
const address = (description: string) => Type.String({ pattern: '^https?://[^\\s]+$', description });

/** How its publishers are kept. */
const kept = {
  startSeconds: Type.Optional(
    seconds('A publisher needs so long to start at most; measured starts that took longer count.', 600),
  ),
  min: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000, description: 'Kept ready at least.' })),
  max: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'Ready and starting at most. Absent: `publishers.max`.' }),
  ),
};
const fields = <T extends Parameters<typeof Type.Object>[0]>(properties: T, description: string) =>
  Type.Object(properties, { additionalProperties: false, description });

export const TARGET_SCHEMAS = {
  bucket: fields(
    {
      type: word('bucket'),
      endpoint: address('S3 endpoint.'),
      region: Type.Optional(Type.String({ minLength: 1, description: 'S3 region. Absent: `us-east-1`.' })),
      accessKey: secret('Access key.'),
      secretKey: secret('Secret key.'),
      bucket: Type.String({ minLength: 3, maxLength: 63, description: 'It must exist.' }),
      prefix: Type.Optional(
        Type.String({ pattern: '^([^/].*/)?$', description: 'Before every key; ends with a slash.' }),
      ),
      ...kept,
    },
    'A copy of what is published, in another bucket.',
  ),
  webhook: fields(
    {
      type: word('webhook'),
      url: address('It is POSTed to, and must answer 2xx.'),
      secret: Type.Optional(secret('Signs, by Standard Webhooks: `whsec_` and Base64.')),
      answerSeconds: Type.Optional(seconds('It must answer within so long. Absent: 20.', 600)),
      startUrl: Type.Optional(
        address(
          'It is POSTed to before, and answers 2xx when there is somebody to publish. Absent: nothing has to start.',
        ),
      ),
      once: Type.Optional(Type.Boolean({ description: 'What was started serves one delivery.' })),
      ...kept,
    },
    'Somebody who is told of it, and who must answer.',
  ),
  purge: fields(
    {
      type: word('purge'),
      url: address('Asked once for each thing to forget; `{key}` stands for its key.'),
      method: Type.Optional(
        Type.Union([word('PURGE'), word('POST'), word('DELETE'), word('GET')], { description: 'Absent: `PURGE`.' }),
      ),
      each: Type.Optional(
        Type.Union([word('object'), word('asset')], {
          description:
            '`object`: each file that may have changed. `asset`: once, with the prefix of all. Absent: `object`.',
        }),
      ),
      headers: Type.Optional(
        Type.Record(Type.String(), secret('A header of each request.'), { description: 'Such as a token.' }),
      ),
      ...kept,
    },
    'A cache in front of the store that must forget what it has.',
  ),
  simulated: fields(
    {
      type: word('simulated'),
      startSeconds: seconds('A start takes from 0 to so long, evenly spread.', 600),
      publishSeconds: Type.Optional(seconds('A delivery takes so long.', 600)),
      reusable: Type.Optional(Type.Boolean({ description: 'Absent: each delivery takes a new one.' })),
      min: kept.min,
      max: kept.max,
    },
    'Nobody: for exercises and tests.',
  ),
} as const;

export type BucketTarget = Static<typeof TARGET_SCHEMAS.bucket>;
export type WebhookTarget = Static<typeof TARGET_SCHEMAS.webhook>;
export type PurgeTarget = Static<typeof TARGET_SCHEMAS.purge>;
export type SimulatedTarget = Static<typeof TARGET_SCHEMAS.simulated>;
export type TargetSpec = BucketTarget | WebhookTarget | PurgeTarget | SimulatedTarget;
export type TargetKind = TargetSpec['type'];

/** A target as a profile names it. */
export interface WantedTarget {
  readonly name: string;
  /** The asset's deadline is met only when it has answered. */
  readonly required: boolean;
}

/** `failing`: it was tried in vain, and is tried again. */
export const DELIVERY_STATES = ['pending', 'failing', 'delivered'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
