/** What an uploader says of a job in the object's own metadata. */
import { problemOfWishes } from './deadlines.js';
import { check, objectHints } from './event-schemas.js';
import type { UploadEvent } from './events.js';

/**
 * Hints that the uploader left in the object's metadata, where the event itself can carry none.
 *
 * @param metadata user metadata, names in lower case without `x-amz-meta-`
 */
export function hintsOfMetadata(
  metadata: Readonly<Record<string, string>>,
): { ok: true; hints: Partial<UploadEvent> } | { ok: false; detail: string } {
  const own = Object.entries(metadata).filter(([name]) => name.startsWith(HINT_PREFIX));
  const rest = Object.entries(metadata).filter(([name]) => !name.startsWith(HINT_PREFIX));
  const byName = new Map(own.map(([name, value]) => [name.slice(HINT_PREFIX.length), value]));
  const hints = {
    tenant: byName.get('tenant'),
    profile: byName.get('profile'),
    priority: numberOf(byName.get('priority')),
    publishBy: byName.get('publish-by'),
    publicationTimeout: numberOf(byName.get('publication-timeout')),
    publishNotBefore: byName.get('publish-not-before'),
  };
  const checked = check(objectHints, JSON.parse(JSON.stringify(hints)));
  if (!checked.ok) return { ok: false, detail: `object metadata: ${checked.detail}` };
  const problem = problemOfWishes(checked.value);
  if (problem !== undefined) return { ok: false, detail: `object metadata: ${problem}` };
  return {
    ok: true,
    hints: {
      ...(checked.value as Partial<UploadEvent>),
      metadata: rest.length > 0 ? Object.fromEntries(rest) : undefined,
    },
  };
}

/** What is none becomes null, which no schema takes. */
const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

/** Uploaders set `x-amz-meta-mediamill-{tenant,profile,priority,publish-by,publication-timeout,publish-not-before}`. */
const HINT_PREFIX = 'mediamill-';
