/** What an uploader says of a job in the object's own metadata. */
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
  const priority = byName.get('priority');
  const hints = {
    tenant: byName.get('tenant'),
    profile: byName.get('profile'),
    priority: priority === undefined ? undefined : Number(priority),
    publishBy: byName.get('publish-by'),
  };
  const checked = check(objectHints, JSON.parse(JSON.stringify(hints)));
  if (!checked.ok) return { ok: false, detail: `object metadata: ${checked.detail}` };
  return {
    ok: true,
    hints: {
      ...(checked.value as Partial<UploadEvent>),
      metadata: rest.length > 0 ? Object.fromEntries(rest) : undefined,
    },
  };
}

/** Uploaders set `x-amz-meta-mediamill-{tenant,profile,priority,publish-by}` on the object. */
const HINT_PREFIX = 'mediamill-';
