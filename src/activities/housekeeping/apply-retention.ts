import type { AssetRow } from '../../catalogue/catalogue.js';
import { entomb } from '../../catalogue/lifecycle.js';
import { findDue, type Limits } from '../../catalogue/retention.js';
import type { Counts } from '../../contracts/lifecycle.js';
import type { ActivityContext } from '../context.js';
import { releaseSource } from '../lifecycle/release-source.js';
import { activity, assertAlive, type ActivityScope } from '../scope.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'db'>;

const PAGE = 200;

export function createApplyRetention(context: Needs) {
  return activity(context.logger, (scope) => applyRetention(context, scope));
}

async function applyRetention(context: Needs, scope: ActivityScope): Promise<Counts> {
  const { config, db } = context;
  const forEachDue = async (limit: keyof Limits, remove: (row: AssetRow) => Promise<boolean>): Promise<number> => {
    let removed = 0;
    for (let after = ''; ;) {
      scope.signal.throwIfAborted();
      const rows = await findDue(db, limit, config.retention, after, PAGE);
      for (const row of rows) {
        assertAlive();
        if (!(await remove(row))) continue;
        removed += 1;
        scope.logger.info('its time is over', { assetId: row.id, tenant: row.tenant, profile: row.profile, limit });
      }
      if (rows.length < PAGE) return removed;
      after = rows.at(-1)!.id;
    }
  };
  // One that has changed since it was found is looked at again the next time.
  const remove = async ({ id, revision }: AssetRow): Promise<boolean> =>
    (await entomb(db, id, 'retention', { revision })).outcome === 'deleted';
  return {
    assets: await forEachDue('outputDays', remove),
    failedAssets: await forEachDue('failedDays', remove),
    rawUploads: await forEachDue('rawDays', ({ id }) => releaseSource(context, scope, id)),
  };
}
