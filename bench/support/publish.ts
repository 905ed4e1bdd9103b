/** Files on their way through the whole system. */
import type { AssetDocument } from '../../src/contracts/assets.js';
import type { VideoPlan } from '../../src/contracts/plan.js';
import { planKey } from '../../src/media/video/layout.js';
import { follow } from '../../src/starters/cli/follow.js';
import type { Session } from '../../src/starters/cli/session.js';
import { upload, type Upload, type UploadOptions } from '../../src/starters/cli/upload.js';
import { ownTenant } from './anew.js';

export interface Published {
  readonly upload: Upload;
  readonly document: AssetDocument;
  /** Milliseconds since the epoch. */
  readonly arrivedAt: number;
  /** From the object's arrival in the bucket to `ready`. */
  readonly seconds: number;
}

/** @throws where it does not become `ready` */
export async function publish(session: Session, file: string, options: UploadOptions = {}): Promise<Published> {
  const one = await upload(session, file, { tenant: ownTenant(), ...options });
  const arrivedAt = Date.now();
  const [outcome] = await follow(session, [one], () => undefined);
  const { document } = outcome ?? {};
  const readyAt = document?.timings.readyAt;
  if (document?.state !== 'ready' || !readyAt) {
    throw new Error(`ended as ${document?.state}: ${JSON.stringify(document?.error ?? document?.missing)}`);
  }
  return { upload: one, document, arrivedAt, seconds: (Date.parse(readyAt) - arrivedAt) / 1000 };
}

export async function planOf({ store, config }: Session, { assetId }: Upload): Promise<VideoPlan> {
  const bytes = await store.read(config.storage.mediaBucket, planKey({ assetId, generation: 1 }));
  return (JSON.parse(bytes.toString()) as { plan: VideoPlan }).plan;
}
