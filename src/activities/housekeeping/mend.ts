/** What is done about a finding of the survey. */
import { beginGeneration } from '../../catalogue/lifecycle.js';
import { enqueue } from '../../catalogue/outbox.js';
import { giveUpLostSource } from '../../catalogue/retention.js';
import type { Logger } from '../../logging/logger.js';
import { removeBelow } from '../lifecycle/remove-below.js';
import { assertAlive } from '../scope.js';
import { assetIdOf } from '../../contracts/ids.js';
import type { Finding, SurveyContext } from './findings.js';

/** `left`: nothing can be done about it here; a person has to look. */
export type Remedy = 'removed' | 'announced' | 'reprocessed' | 'noted' | 'left';

export const remedyOf = ({ what }: Finding): Remedy => REMEDIES[what];
const REMEDIES = {
  'outputs-without-row': 'removed',
  'left-overs': 'removed',
  'upload-without-row': 'announced',
  'upload-unwanted': 'removed',
  foreign: 'left',
  'row-without-outputs': 'reprocessed',
  'row-without-source': 'noted',
} as const satisfies Record<Finding['what'], Remedy>;

export async function mend(
  { store, config, db, logger }: SurveyContext & { readonly logger: Logger },
  finding: Finding,
  signal: AbortSignal,
): Promise<Remedy> {
  const { mediaBucket, uploadsBucket } = config.storage;
  assertAlive();
  switch (finding.what) {
    case 'outputs-without-row':
      await removeBelow({ store, bucket: mediaBucket, signal }, finding.prefix);
      break;
    case 'left-overs':
      await store.remove(mediaBucket, finding.keys);
      break;
    case 'upload-unwanted':
      await store.removeVersions(uploadsBucket, [finding]);
      break;
    case 'upload-without-row': {
      const { key, versionId, etag } = finding;
      const event = { bucket: uploadsBucket, key, etag, ...(versionId !== 'null' && { versionId }) };
      await enqueue(db, 'upload', { assetId: assetIdOf(event), event });
      break;
    }
    case 'row-without-outputs': {
      const begun = await beginGeneration(db, finding.assetId, 'sweep', {});
      if (begun.outcome !== 'begun') {
        logger.error('outputs are missing, and can not be made again', { ...finding, because: begun.outcome });
        return 'left';
      }
      break;
    }
    case 'row-without-source':
      await giveUpLostSource(db, finding.assetId);
      break;
    case 'foreign':
      break;
  }
  const remedy = remedyOf(finding);
  logger.warn(`store and catalogue differ: ${remedy}`, { ...finding });
  return remedy;
}
