/** Makes again what did not pass verification: the segments at fault, and nothing else. */
import { isCancellation } from '@temporalio/workflow';

import type { Finding } from '../contracts/activities.js';
import { POSTER, STORYBOARD, type Chunk } from '../contracts/plan.js';
import { ENCODE_LANES, encodeAgain } from './encode-again.js';
import type { MediaMaker } from './media-maker.js';
import type { Studio } from './studio.js';
import { inLanes, together } from './together.js';

/** What can't be made again is lost, with the reason; the last thing to play fails the asset. */
export async function remake(findings: readonly Finding[], maker: MediaMaker, studio: Studio): Promise<void> {
  const { rungs, audio, subtitles } = studio.steps.plan;
  const isFaulty = ({ name }: { readonly name: string }): boolean => findings.some((finding) => finding.name === name);
  for (const { name } of [...audio, ...subtitles].filter(isFaulty)) studio.story.part(name, 'running');
  const copies = rungs.filter(({ passthrough }) => passthrough).filter(isFaulty);
  const pictures = ([POSTER, STORYBOARD] as const).filter((name) => isFaulty({ name }));
  await together([
    () => encodeAgain(findings, studio),
    () =>
      together(
        copies.map(
          ({ name }) =>
            () =>
              maker.copy(name),
        ),
      ),
    () => together(audio.filter(isFaulty).map((track) => () => maker.sound(track))),
    () => (subtitles.some(isFaulty) ? maker.texts() : Promise.resolve()),
    () => remakePictures(pictures, maker, studio),
  ]);
}

/** What they are made of was removed when they were published: it is taken out of the source once more. */
async function remakePictures(
  names: readonly (typeof POSTER | typeof STORYBOARD)[],
  maker: MediaMaker,
  { steps, parts, chunks }: Studio,
): Promise<void> {
  const { grid, stills } = steps.plan;
  const { frames } = maker.made;
  if (!grid || names.length === 0) return;
  const shown = stills.posterFrames.filter((frame) => frame < frames);
  // Where the source ended before the first candidate, the poster is the first tile.
  const posters = shown.length > 0 ? shown : [0];
  const needs = ({ firstSegment, segments }: Chunk): boolean => {
    const [from, to] = [firstSegment * grid.segmentFrames, (firstSegment + segments) * grid.segmentFrames];
    return names.includes(STORYBOARD) ? from < frames : posters.some((frame) => frame >= from && frame < to);
  };
  try {
    await inLanes(
      ENCODE_LANES,
      chunks.all.filter(needs),
      async (chunk) => void (await steps.encodeChunk(chunk, [], true)),
    );
  } catch (error) {
    if (isCancellation(error)) throw error;
    for (const name of names) parts.lose(name, error);
  }
  await together(names.map((name) => () => maker.picture(name)));
}
