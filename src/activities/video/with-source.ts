/** A private folder with the source in it, for as long as a step works. */
import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import { SOURCE_FILE } from '../../media/video/encode-args.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'scratch'>;

/**
 * @param name names the folder, for whoever looks into the scratch space
 * @throws what `Scratch.sourceFile` throws; OBJECT_IS_DIRECTORY
 */
export async function withSource<T>(
  { config, store, scratch }: Needs,
  { signal, report }: Pick<ActivityScope, 'signal' | 'report'>,
  job: Job,
  name: string,
  use: (dir: string) => Promise<T>,
): Promise<T> {
  if (job.source.key.endsWith('/')) throw new MediaError('OBJECT_IS_DIRECTORY');
  const onProgress = (bytes: number, total: number): void =>
    report({ step: 'download', what: SOURCE_FILE, percent: total > 0 ? Math.min(100, (bytes / total) * 100) : 0 });
  report({ step: 'download', what: SOURCE_FILE, percent: 0 });
  return scratch.withJobDir(`${job.assetId}-${name}`, async (dir) => {
    const maxBytes = config.limits.maxUploadMiB * 1024 ** 2;
    const source = await scratch.sourceFile(job.source, store, { signal, onProgress, maxBytes });
    try {
      await source.linkInto(dir, SOURCE_FILE);
      return await use(dir);
    } finally {
      // Cancelled, or handed over to another worker: nobody comes back for it.
      await source.release(!signal.aborted);
    }
  });
}
