/**
 * Upload events: what producers may put on the uploads topic, and what a starter makes of it.
 *
 * Three forms are accepted: S3/MinIO bucket notifications, CloudEvents 1.0 (structured JSON) and a
 * short form (content type and file name). See docs/events.md.
 */
import type { Priority } from './assets.js';
import { problemOfWishes, type DeadlineWishes } from './deadlines.js';
import { check, cloudEvent, notificationRecord, shortForm } from './event-schemas.js';

/** Why an event was dead-lettered. A closed list: operators filter and replay by it. */
export const REFUSALS = {
  EVENT_EMPTY: 'The message has no value.',
  EVENT_TOO_LARGE: 'The message is larger than `starter.maxEventBytes`.',
  EVENT_NOT_JSON: 'The message is neither JSON nor the short form.',
  EVENT_UNKNOWN_FORM: 'The JSON is none of the accepted forms.',
  EVENT_INVALID: 'A field is missing or has a wrong type or value.',
  BUCKET_REFUSED: 'Objects of this bucket are not uploads.',
  KEY_OUTSIDE_PREFIX: 'The object is outside `storage.uploadsPrefix`.',
  OBJECT_KEY_INVALID: 'The object key can not be used.',
  OBJECT_IS_DIRECTORY: 'The object key names a directory, not a file.',
  OBJECT_MISSING: 'The object does not exist.',
  INTERNAL: 'Something went wrong on our side, several times. Nothing is known to be wrong with the event.',
} as const;
export type Refusal = keyof typeof REFUSALS;

/** One upload named by an event. Everything but bucket and key is a hint. */
export interface UploadEvent extends DeadlineWishes {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly etag?: string | undefined;
  readonly contentType?: string | undefined;
  readonly tenant?: string | undefined;
  readonly profile?: string | undefined;
  readonly priority?: Priority | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface EventSettings {
  readonly uploadsBucket: string;
  /** A plain prefix, as S3 means it. */
  readonly uploadsPrefix: string;
  /** Outputs: never an upload, or the service would feed on itself. */
  readonly mediaBucket: string;
  /** Key and value together. */
  readonly maxEventBytes: number;
}

export type ParsedEvent =
  /** No uploads: a notification that is none of our business (a removal, a test event, another prefix). */
  | { readonly ok: true; readonly uploads: readonly UploadEvent[] }
  /** `uploads`: the usable ones of a notification with several records. */
  | { readonly ok: false; readonly reason: Refusal; readonly detail: string; readonly uploads: readonly UploadEvent[] };

const MEDIA_TYPE =
  /^(application|audio|font|image|message|model|multipart|text|video)\/[A-Za-z0-9][\w.+-]{0,126}(\s*;.{0,200})?$/i;
const MAX_KEY_BYTES = 1024;
const MAX_METADATA_BYTES = 4096;

/** Parses and validates one message of the uploads topic. Never throws. */
export function parseEvent(key: Uint8Array | null, value: Uint8Array | null, settings: EventSettings): ParsedEvent {
  const bytes = (key?.length ?? 0) + (value?.length ?? 0);
  if (bytes > settings.maxEventBytes)
    return refuse('EVENT_TOO_LARGE', `${bytes} bytes, at most ${settings.maxEventBytes}`);
  if (!value || value.length === 0) return refuse('EVENT_EMPTY');
  const text = decodeUtf8(value);
  if (text === undefined) return refuse('EVENT_NOT_JSON', 'the value is not UTF-8');

  const contentType = key && decodeUtf8(key);
  // A value that opens like a JSON object is one: a file name that begins with `{` needs the JSON short form.
  if (contentType && MEDIA_TYPE.test(contentType) && !/^\s*\{/.test(text))
    return fromShortForm(contentType, text, settings);

  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse('EVENT_NOT_JSON');
  }
  return fromJson(json, settings);
}

function fromJson(json: unknown, settings: EventSettings): ParsedEvent {
  if (!isObject(json)) return refuse('EVENT_UNKNOWN_FORM');
  if ('Records' in json) return fromNotification(json.Records, settings);
  if ('specversion' in json) return fromCloudEvent(json, settings);
  // What AWS sends once when a notification is configured.
  if (json.Event === 's3:TestEvent') return { ok: true, uploads: [] };
  if ('key' in json && 'body' in json) {
    const checked = check(shortForm, json);
    if (!checked.ok) return refuse('EVENT_INVALID', checked.detail);
    return fromShortForm(checked.value.key, checked.value.body, settings);
  }
  return refuse('EVENT_UNKNOWN_FORM');
}

/**
 * Nothing is said about order: notifications arrive in any order and `sequencer` compares only
 * writes of one key. The store itself is asked what the object is now.
 */
function fromNotification(records: unknown, settings: EventSettings): ParsedEvent {
  if (!Array.isArray(records)) return refuse('EVENT_INVALID', 'Records must be array');
  const uploads: UploadEvent[] = [];
  let refused: (ParsedEvent & { ok: false }) | undefined;
  for (const record of records as unknown[]) {
    // MinIO writes `s3:ObjectCreated:Put`, AWS `ObjectCreated:Put`.
    if (!isObject(record) || typeof record.eventName !== 'string') {
      refused ??= refuse('EVENT_INVALID', 'eventName is missing');
      continue;
    }
    if (!/^(s3:)?ObjectCreated:/.test(record.eventName)) continue;
    const result = fromRecord(record, settings);
    uploads.push(...result.uploads);
    if (!result.ok) refused ??= result;
  }
  return refused ? { ...refused, uploads } : { ok: true, uploads };
}

function fromRecord(record: object, settings: EventSettings): ParsedEvent {
  const checked = check(notificationRecord, record);
  if (!checked.ok) return refuse('EVENT_INVALID', checked.detail);
  const { bucket, object } = checked.value.s3;
  let key: string;
  try {
    // Query encoding: a plus is a space, a real plus comes as %2B.
    key = decodeURIComponent(object.key.replaceAll('+', ' '));
  } catch {
    return refuse('EVENT_INVALID', 'the object key is not URL-encoded UTF-8');
  }
  if (bucket.name === settings.mediaBucket) return { ok: true, uploads: [] };
  if (bucket.name === settings.uploadsBucket && !key.startsWith(settings.uploadsPrefix))
    return { ok: true, uploads: [] };
  return accept({
    bucket: bucket.name,
    key,
    versionId: object.versionId || undefined,
    etag: object.eTag || undefined,
    contentType: object.contentType,
  });
}

function fromCloudEvent(json: object, settings: EventSettings): ParsedEvent {
  const checked = check(cloudEvent, json);
  if (!checked.ok) return refuse('EVENT_INVALID', checked.detail);
  const { data } = checked.value;
  const problem = problemOfWishes(data);
  if (problem !== undefined) return refuse('EVENT_INVALID', `data.${problem}`);
  const metadataBytes = Object.entries(data.metadata ?? {}).reduce(
    (sum, [name, text]) => sum + utf8Length(name) + utf8Length(text),
    0,
  );
  if (metadataBytes > MAX_METADATA_BYTES)
    return refuse('EVENT_INVALID', `data.metadata: ${metadataBytes} bytes, at most ${MAX_METADATA_BYTES}`);
  if (data.bucket === settings.mediaBucket) return refuse('BUCKET_REFUSED', data.bucket);
  if (data.bucket === settings.uploadsBucket && !data.key.startsWith(settings.uploadsPrefix))
    return refuse('KEY_OUTSIDE_PREFIX');
  const { bucket, key, versionId, etag, contentType, tenant, profile, metadata } = data;
  const { publishBy, publicationTimeout, publishNotBefore } = data;
  const priority = data.priority as Priority | undefined;
  return accept({
    bucket,
    key,
    versionId,
    etag: etag?.replaceAll('"', ''),
    contentType,
    tenant,
    profile,
    priority,
    publishBy,
    publicationTimeout,
    publishNotBefore,
    metadata,
  });
}

function fromShortForm(contentType: string, fileName: string, settings: EventSettings): ParsedEvent {
  if (!MEDIA_TYPE.test(contentType)) return refuse('EVENT_INVALID', 'key must be a content type');
  // A name, not a path of some file system: what could climb out of the prefix is refused, not cleaned.

  if (fileName.startsWith('/') || /[\\\x00-\x1f\x7f-\x9f]/.test(fileName)) return refuse('OBJECT_KEY_INVALID');
  if (fileName.trim() === '') return refuse('OBJECT_KEY_INVALID', 'the file name is empty');
  return accept({ bucket: settings.uploadsBucket, key: settings.uploadsPrefix + fileName, contentType });
}

/** The last word on keys, for all forms. */
function accept(upload: UploadEvent): ParsedEvent {
  const { key } = upload;
  if (key === '' || key.includes('\0') || /\p{Cs}/u.test(key)) return refuse('OBJECT_KEY_INVALID');
  if (utf8Length(key) > MAX_KEY_BYTES) return refuse('OBJECT_KEY_INVALID', `longer than ${MAX_KEY_BYTES} bytes`);
  if (key.split('/').some((part) => part === '..' || part === '.'))
    return refuse('OBJECT_KEY_INVALID', 'relative path');
  if (key.endsWith('/')) return refuse('OBJECT_IS_DIRECTORY');
  return { ok: true, uploads: [upload] };
}

function refuse(reason: Refusal, detail = ''): ParsedEvent & { ok: false } {
  return { ok: false, reason, detail, uploads: [] };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();
const utf8Length = (text: string): number => encoder.encode(text).length;

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
