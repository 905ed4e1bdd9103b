/** Assets as callers see them. Validation, types and documentation of every front door follow from this. */
import { Type, type Static, type TProperties } from 'typebox';

import { ASSET_STATES } from '../../contracts/assets.js';
import { ERRORS, type ErrorCode } from '../../contracts/errors.js';
import { DeadlineSchema } from './deadline.js';
import { DeliverySchema } from './deliveries.js';

export const KINDS = ['video', 'audio', 'image'] as const;

const fields = <T extends TProperties>(properties: T, extra: object = {}) =>
  Type.Object(properties, { additionalProperties: false, ...extra });
const maybe = Type.Optional;
const text = (description: string, extra: object = {}) => Type.String({ description, ...extra });
const number = (description: string) => Type.Number({ description });
const whole = (description: string, extra: object = {}) => Type.Integer({ description, ...extra });
const time = (description: string) => Type.String({ format: 'date-time', description });

export const AssetId = Type.String({ pattern: '^[0-9a-f]{24}$', description: 'Of an asset.' });
export const StateSchema = Type.Enum([...ASSET_STATES], { description: 'How far it is.' });
export const KindSchema = Type.Enum([...KINDS], { description: 'What the bytes turned out to be.' });
const PrioritySchema = whole('1 is the most urgent, 5 the least.', { minimum: 1, maximum: 5 });

const CODES = Object.keys(ERRORS) as ErrorCode[];

export const ErrorSchema = fields(
  { code: Type.Enum(CODES, { description: 'Stable: branch on it.' }), message: text('For people.') },
  { description: 'Why it failed.' },
);

const RenditionSchema = fields({
  name: text('Unique within the asset.'),
  type: text('video, audio, image, animation, loop, thumbnail, poster, subtitles or storyboard.'),
  mime: text('Media type of what the URL names.'),
  url: text('Where it is.'),
  width: maybe(whole('Pixels.')),
  height: maybe(whole('Pixels.')),
  codecs: maybe(text('RFC 6381.')),
  bitrate: maybe(number('Average bits per second.')),
  bytes: whole('Of all its files.'),
  duration: maybe(number('Seconds.')),
  language: maybe(text('BCP 47 or ISO 639-2, as the source has it.')),
  thumbHash: maybe(text('Of a poster, base64: what to show until it is there.')),
});

const ImageSchema = fields({
  width: whole('As displayed, pixels.'),
  height: whole('As displayed, pixels.'),
  format: text('Of the source.'),
  frames: whole('1 unless it is an animation.'),
  hasAlpha: Type.Boolean(),
  thumbHash: text('Base64.'),
  blurHash: text('A placeholder.'),
  dominantColour: text('`#rrggbb`'),
  palette: Type.Array(Type.String()),
  perceptualHash: text('16 hexadecimal digits: pictures that look alike differ in few bits.'),
  sha256: text('Of the uploaded bytes.'),
  picture: text('HTML to paste.'),
});

const PartSchema = fields({
  name: text('A rendition.'),
  state: text('waiting, running, done, failed or cancelled.'),
  error: maybe(ErrorSchema),
});

export const ProgressSchema = fields(
  {
    percent: Type.Number({ minimum: 0, maximum: 100, description: 'Of the whole job.' }),
    stage: text('A word for people.'),
    speed: maybe(number('Media seconds per wall second.')),
    timeLeft: maybe(number('Seconds.')),
    parts: Type.Array(PartSchema),
    retrying: maybe(fields({ step: text('Which.'), attempt: whole('From 1.'), reason: text('Of the last failure.') })),
  },
  { description: 'Of the work under way. Absent while the workflow engine can not be asked.' },
);

export const HistorySchema = fields({
  at: time('When.'),
  from: maybe(StateSchema),
  to: StateSchema,
  generation: whole('Which run of processing.'),
  by: text('Which step wrote it.'),
  error: maybe(ErrorSchema),
});

export const AssetSchema = fields(
  {
    id: AssetId,
    kind: maybe(KindSchema),
    state: StateSchema,
    title: maybe(Type.String()),
    fileName: maybe(text('As the uploader named it.')),
    tags: Type.Array(Type.String()),
    metadata: Type.Record(Type.String(), Type.String()),
    profile: Type.String(),
    priority: PrioritySchema,
    bytes: maybe(whole('Of the upload.')),
    duration: maybe(number('Seconds.')),
    contentType: maybe(text('As the uploader said.')),
    sha256: maybe(text('Of the uploaded bytes.')),
    createdAt: time('When it came in.'),
    updatedAt: time('When anything of it changed.'),
    playable: Type.Boolean({ description: 'There is something to play or to show, be it of an earlier run.' }),
    generation: whole('The published run of processing; 0 while there is none.'),
    legalHold: Type.Boolean(),
    deadline: maybe(DeadlineSchema),
    error: maybe(ErrorSchema),
    renditions: Type.Array(RenditionSchema),
    missing: maybe(
      Type.Array(fields({ name: Type.String(), error: ErrorSchema }), { description: 'Planned, and not there.' }),
    ),
    playback: fields({
      hls: maybe(text('Plays while it is being encoded, too.')),
      dash: maybe(Type.String()),
      poster: maybe(Type.String()),
      storyboard: maybe(text('WebVTT thumbnails.')),
    }),
    image: maybe(ImageSchema),
    deliveries: maybe(Type.Array(DeliverySchema, { description: 'What is published goes there, too.' })),
    progress: maybe(ProgressSchema),
    history: maybe(Type.Array(HistorySchema, { description: 'Every change of state, oldest first.' })),
  },
  { description: 'An upload and what was made of it.' },
);

/** Text as a database holds it: without the character zero. */
const PLAIN = { pattern: '^[^\\u0000]*$' };
export const TitleSchema = Type.String({ maxLength: 500, ...PLAIN });
export const TagsSchema = Type.Array(Type.String({ minLength: 1, maxLength: 100, ...PLAIN }), {
  maxItems: 50,
  uniqueItems: true,
});
export const MetadataSchema = Type.Record(
  Type.String({ pattern: '^[^\\u0000-\\u001f]{1,100}$' }),
  Type.String({ maxLength: 2000, ...PLAIN }),
  { maxProperties: 50, description: 'At most 4 KB together.' },
);

export const PatchSchema = fields(
  {
    title: maybe(Type.Union([TitleSchema, Type.Null()], { description: 'null: none any more.' })),
    tags: maybe(TagsSchema),
    metadata: maybe(MetadataSchema),
    priority: maybe(PrioritySchema),
    publishBy: maybe(Type.Union([time('When it is needed.'), Type.Null()], { description: 'null: at no time.' })),
    publishNotBefore: maybe(Type.Union([time('An embargo.'), Type.Null()], { description: 'null: none.' })),
  },
  { minProperties: 1, description: 'What is absent stays as it is.' },
);

export const ReprocessSchema = fields({
  profile: maybe(text('Default: its own.', { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' })),
  renditions: maybe(
    Type.Array(Type.String({ minLength: 1, maxLength: 100, ...PLAIN }), {
      maxItems: 100,
      uniqueItems: true,
      description: 'Makes these again, in place. Empty: whatever is missing or at fault.',
    }),
  ),
  priority: maybe(PrioritySchema),
});

export type Asset = Static<typeof AssetSchema>;
export type AssetProgress = Static<typeof ProgressSchema>;
export type AssetPatchBody = Static<typeof PatchSchema>;
