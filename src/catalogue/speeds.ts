/** How fast the machines were that encoded last: what projections begin with. */
import { sql } from 'kysely';

import { mapped, type Database } from './database.js';

/** The one kind of work that is measured: `workOf` makes codecs, presets and sizes comparable. */
const WORK = 'video';
/** Of a new measurement: one slow chunk says little, ten say that the machine is slow. */
const SHARE = 0.2;
/** Machines of which nothing was heard for so long may be gone. */
const KNOWN_FOR = '7 days';

/** @param speed work per second of one chunk, while others were encoded beside it as they were */
export async function noteSpeed(db: Database, machineClass: string, speed: number): Promise<void> {
  const query = db
    .insertInto('encode_speeds')
    .values({ machine_class: machineClass, work: WORK, speed })
    .onConflict((conflict) =>
      conflict.columns(['machine_class', 'work']).doUpdateSet({
        speed: sql`encode_speeds.speed + ${SHARE} * (excluded.speed - encode_speeds.speed)`,
        samples: sql`encode_speeds.samples + 1`,
        updated_at: sql`now()`,
      }),
    );
  await mapped(() => query.execute());
}

/** Of a machine of the fleet, whichever it will be. @returns undefined before anything was encoded */
export async function knownSpeed(db: Database): Promise<number | undefined> {
  const query = db
    .selectFrom('encode_speeds')
    .select(sql<number | null>`avg(speed)`.as('speed'))
    .where('work', '=', WORK)
    .where('updated_at', '>', sql<Date>`now() - interval '${sql.raw(KNOWN_FOR)}'`);
  return (await mapped(() => query.executeTakeFirst()))?.speed ?? undefined;
}
