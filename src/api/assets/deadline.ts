/** When an asset is needed, and what becomes of that, as callers see it. */
import { Type, type Static } from 'typebox';

import type { AssetRow } from '../../catalogue/catalogue.js';
import { DEADLINE_STATES, heldBackFor, MAX_PUBLICATION_TIMEOUT, MEASURES } from '../../contracts/deadlines.js';

const maybe = Type.Optional;
const time = (description: string) => Type.String({ format: 'date-time', description });

/** What may be said of an upload. */
export const WISHES = {
  publishBy: maybe(time('When it is needed. In the past: as soon as possible, and counted as missed.')),
  publicationTimeout: maybe(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: MAX_PUBLICATION_TIMEOUT,
      description: 'Seconds from the start of encoding within which it is needed. With `publishBy`: what is first.',
    }),
  ),
  publishNotBefore: maybe(time('An embargo: nobody sees anything of it before.')),
};

export const DeadlineStateSchema = Type.Enum([...DEADLINE_STATES], {
  description: '`at-risk`: as things are, it will be late. What follows is `met` or `missed`.',
});

export const DeadlineSchema = Type.Object(
  {
    publishBy: maybe(time('When it is needed; of a timeout, known when encoding has started.')),
    publicationTimeout: maybe(Type.Number({ description: 'Seconds from the start of encoding.' })),
    notBefore: maybe(time('Nobody sees anything of it before.')),
    state: maybe(DeadlineStateSchema),
    projectedAt: maybe(time('When it will be published as far as one knows; of `met` and `missed`, when it was.')),
    slackSeconds: maybe(Type.Number({ description: '`publishBy` minus `projectedAt`; negative: late.' })),
    measures: Type.Array(Type.Enum([...MEASURES]), { description: 'What was done to be in time, in this order.' }),
  },
  { additionalProperties: false, description: 'Absent of an asset that is needed at no particular time.' },
);

/** @returns nothing of an asset without one. Before it is published, a time that has passed is a risk that came true. */
export function deadlineOf(row: AssetRow, now = Date.now()): { deadline?: Static<typeof DeadlineSchema> } {
  const { publishBy, publishNotBefore, deadlineState, projectedAt, measures, job } = row;
  const publicationTimeout = job?.publicationTimeout;
  if (row.state === 'deleted' || (!publishBy && !publishNotBefore && publicationTimeout === undefined)) return {};
  const isOver = publishBy !== null && publishBy.getTime() < now && row.firstPublishedAt === null;
  const state =
    deadlineState === 'on-time' && isOver && heldBackFor(publishNotBefore, now) === 0 ? 'at-risk' : deadlineState;
  return {
    deadline: {
      ...(publishBy && { publishBy: publishBy.toISOString() }),
      ...(publicationTimeout !== undefined && { publicationTimeout }),
      ...(publishNotBefore && { notBefore: publishNotBefore.toISOString() }),
      ...(state && { state }),
      ...(projectedAt && { projectedAt: projectedAt.toISOString() }),
      ...(projectedAt && publishBy && { slackSeconds: (publishBy.getTime() - projectedAt.getTime()) / 1000 }),
      measures: [...measures],
    },
  };
}
