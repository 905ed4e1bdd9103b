/** What an uploader says of an upload, whatever way it comes, and what of it is taken. */
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';

import type { StoredFacts } from '../../catalogue/uploads.js';
import { loadProfiles, type Profiles } from '../../config/profiles.js';
import type { Config } from '../../config/schema.js';
import type { Priority } from '../../contracts/assets.js';
import { problemOfWishes, type DeadlineWishes } from '../../contracts/deadlines.js';
import type { UploadKind } from '../../contracts/uploads.js';
import { WISHES } from '../assets/deadline.js';
import { MetadataSchema, TagsSchema, TitleSchema } from '../assets/schemas.js';
import { ApiProblem } from '../problems.js';

/** What may be said of every upload: part of the body, the query or the form by which it is announced. */
export const SaidSchema = Type.Object(
  {
    title: Type.Optional(TitleSchema),
    tags: Type.Optional(TagsSchema),
    metadata: Type.Optional(MetadataSchema),
    profile: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' })),
    priority: Type.Optional(Type.Integer({ minimum: 1, maximum: 5, description: '1 is the most urgent.' })),
    ...WISHES,
    fileName: Type.Optional(Type.String({ maxLength: 1000, description: 'For people.' })),
    sha256: Type.Optional(
      Type.String({ pattern: '^[0-9a-fA-F]{64}$', description: 'Of the bytes: others are not accepted then.' }),
    ),
  },
  { additionalProperties: false },
);
export type Said = Static<typeof SaidSchema>;

/** Not checked yet: `openUpload` does that for all ways. */
export interface UploadFacts {
  readonly kind: UploadKind;
  /** Bytes, where they are announced. */
  readonly size?: number | undefined;
  /** 64 hexadecimal digits, where it is announced. */
  readonly sha256?: string | undefined;
  readonly contentType?: string | undefined;
  /** For people; never a path or a key. */
  readonly fileName?: string | undefined;
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Strings, at most 4 KB together. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly profile?: string | undefined;
  readonly priority?: Priority | undefined;
  /** ISO 8601. */
  readonly publishBy?: string | undefined;
  /** Seconds from the start of encoding. */
  readonly publicationTimeout?: number | undefined;
  /** ISO 8601. */
  readonly publishNotBefore?: string | undefined;
}

export interface CheckedFacts {
  readonly size: number | null;
  readonly sha256: string | null;
  readonly contentType: string | null;
  readonly fileName: string | null;
  readonly facts: StoredFacts;
}

const validator = Compile(SaidSchema);
const MAX_METADATA_BYTES = 4096;
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][\w.+-]{0,126}$/i;
const MAX_FILE_NAME = 255;
const DEFAULT_PRIORITY: Priority = 3;

/** @throws ApiProblem `invalid-request` naming the field; `deadline-refused` */
export function checkFacts(config: Pick<Config, 'starter' | 'profiles' | 'limits'>, facts: UploadFacts): CheckedFacts {
  const { kind: _, size, contentType, ...rest } = facts;
  const said = JSON.parse(JSON.stringify(rest)) as Record<string, unknown>;
  if (!validator.Check(said)) {
    const [error] = validator.Errors(said);
    throw invalid(`${error?.instancePath.slice(1).replaceAll('/', '.') || 'upload'} ${error?.message ?? 'is invalid'}`);
  }
  const texts = [facts.title, facts.fileName, ...(facts.tags ?? []), ...Object.entries(facts.metadata ?? {}).flat()];
  // What PostgreSQL can not keep.
  if (texts.some((text) => text !== undefined && /\0|\p{Cs}/u.test(text)))
    throw invalid('A text has a NUL or half a character.');
  const metadataBytes = Object.entries(facts.metadata ?? {}).reduce(
    (sum, pair) => sum + Buffer.byteLength(pair.join('')),
    0,
  );
  if (metadataBytes > MAX_METADATA_BYTES) {
    throw invalid(`metadata: ${metadataBytes} bytes, at most ${MAX_METADATA_BYTES}`);
  }
  const { title, tags, metadata, priority = DEFAULT_PRIORITY, profile = config.starter.profile } = facts;
  const problem = problemOfWishes(facts);
  if (problem !== undefined) throw new ApiProblem('deadline-refused', { detail: problem });
  // MediaError PROFILE_UNKNOWN says which name is close.
  profilesOf(config).get(profile);
  if (size !== undefined) checkSize(config, size);
  return {
    size: size ?? null,
    sha256: facts.sha256?.toLowerCase() ?? null,
    contentType: mediaTypeOf(contentType),
    fileName: nameOf(facts.fileName),
    facts: { title, tags, metadata, profile, priority, ...wishesOf(facts) },
  };
}

/** In UTC, as jobs carry them. */
const wishesOf = ({ publishBy, publicationTimeout, publishNotBefore }: UploadFacts): DeadlineWishes => ({
  publishBy: publishBy && new Date(publishBy).toISOString(),
  publicationTimeout,
  publishNotBefore: publishNotBefore && new Date(publishNotBefore).toISOString(),
});

/** @throws ApiProblem `too-large`, `invalid-request` */
export function checkSize(config: Pick<Config, 'limits'>, size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw invalid('The size must be a whole number of bytes.');
  if (size === 0) throw invalid('The file is empty.');
  if (size > maxUploadBytes(config)) throw tooLarge(config);
}

export const maxUploadBytes = ({ limits }: Pick<Config, 'limits'>): number =>
  Math.max(limits.maxUploadMiB, limits.maxImageMiB) * 1024 * 1024;

export const tooLarge = (config: Pick<Config, 'limits'>): ApiProblem =>
  new ApiProblem('too-large', { detail: `At most ${maxUploadBytes(config)} bytes are allowed.` });

/** A hint; what says nothing is none. */
function mediaTypeOf(contentType: string | undefined): string | null {
  const type = contentType?.split(';', 1)[0]!.trim().toLowerCase() ?? '';
  return MEDIA_TYPE.test(type) && type !== 'application/octet-stream' ? type : null;
}

/** What a person calls the file: its last part, whatever separates it, without what would garble a terminal or a page. */
function nameOf(fileName: string | undefined): string | null {
  const last = fileName?.split(/[/\\]/).at(-1) ?? '';
  const plain = last.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '').trim();
  return [...plain].slice(-MAX_FILE_NAME).join('') || null;
}

const loaded = new WeakMap<object, Profiles>();

function profilesOf({ profiles }: Pick<Config, 'profiles'>): Profiles {
  let found = loaded.get(profiles);
  if (!found) loaded.set(profiles, (found = loadProfiles(profiles.dir)));
  return found;
}

const invalid = (detail: string): ApiProblem => new ApiProblem('invalid-request', { detail });
