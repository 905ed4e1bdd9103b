/** Pictures all the way through sniffing, admission, decoding and verification, on real tools; no Temporal, no store. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { makeVariants } from '../../../src/activities/image/make-variants.js';
import { openPicture, opensAs } from '../../../src/activities/image/open-picture.js';
import { withRealAlpha } from '../../../src/activities/image/real-alpha.js';
import { loadConfig, loadProfiles, type ConfigOverrides } from '../../../src/config/index.js';
import type { ImageSpec } from '../../../src/contracts/profile.js';
import type { FocalPoint, ImagePlan } from '../../../src/contracts/image.js';
import { createLogger } from '../../../src/logging/index.js';
import { planImage, type PictureFacts } from '../../../src/media/image/plan.js';
import { sniff, SNIFF_BYTES } from '../../../src/media/sniff.js';
import type { SpawnSandboxed } from '../../../src/tools/child.js';
import { createTools } from '../../../src/tools/index.js';
import type { ImageSlot, Tools } from '../../../src/tools/tools.js';

export interface Studio {
  readonly tools: Tools;
  /** Variants by name, and the plan that they follow. */
  process(bytes: Uint8Array, spec?: ImageSpec, focal?: FocalPoint, facts?: Partial<PictureFacts>): Promise<Processed>;
}

interface Processed {
  readonly plan: ImagePlan;
  readonly files: ReadonlyMap<string, Buffer>;
}

export interface StudioOptions {
  /** Pictures at once. */
  readonly slots?: number;
  /** Stands between the tools and their children. */
  readonly around?: (spawn: SpawnSandboxed) => SpawnSandboxed;
}

export async function openStudio(
  dir: string,
  limits: ConfigOverrides['limits'] = {},
  { slots = 2, around }: StudioOptions = {},
): Promise<Studio> {
  const overrides: ConfigOverrides = {
    log: { level: 'error' },
    workers: { imageConcurrency: slots },
    // Tests run beside each other.
    limits: { imageSeconds: 60, ...limits },
  };
  const config = loadConfig({ files: [], env: {}, overrides });
  const tools = await createTools(config, createLogger(config.log), dir, around);
  return {
    tools,
    process: async (bytes, spec = loadProfiles('').get('default').image, focal = undefined, known = {}) => {
      const { kind, mime } = await sniff(bytes.subarray(0, SNIFF_BYTES));
      if (kind !== 'image') throw new Error(`not an image: ${mime}`);
      const make = async (slot: ImageSlot): Promise<Processed> => {
        await writeFile(join(slot.dir, 'source'), bytes);
        const picture = await openPicture({ tools, slot, limits: config.limits }, 'source', mime!);
        const plan = planImage({ ...(await withRealAlpha(slot, picture)), ...known }, picture.reader, spec, focal);
        const { finished } = await makeVariants(slot, picture.file, plan.variants);
        return { plan, files: new Map(finished.map((made) => [made.variant.name, made.bytes])) };
      };
      return tools.withImageSlot(make, { opens: opensAs(mime!) });
    },
  };
}
