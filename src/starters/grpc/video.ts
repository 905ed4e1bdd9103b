/** An asset as a `Video`. Pure. */
import { etagOf } from '../../api/assets/revision.js';
import type { Asset, AssetProgress } from '../../api/assets/schemas.js';
import type { PartState } from '../../contracts/progress.js';
import type { Deadline, Progress, Variant, Video, VideoState } from './messages.js';
import { durationOf, timestampOf } from './time.js';

export function videoOf(asset: Asset, revision: number): Video {
  return {
    id: asset.id,
    state: `VIDEO_STATE_${asset.state.toUpperCase()}` as VideoState,
    title: asset.title,
    fileName: asset.fileName,
    tags: asset.tags,
    metadata: asset.metadata,
    profile: asset.profile,
    priority: asset.priority,
    bytes: asset.bytes,
    contentType: asset.contentType,
    sha256: asset.sha256,
    duration: durationOf(asset.duration),
    createTime: timestampOf(asset.createdAt),
    updateTime: timestampOf(asset.updatedAt),
    playable: asset.playable,
    generation: asset.generation,
    legalHold: asset.legalHold,
    error: asset.error,
    variants: variantsOf(asset),
    missing: asset.missing ?? [],
    playback: asset.playback,
    etag: etagOf(revision),
    deadline: asset.deadline && deadlineOf(asset.deadline),
  };
}

const deadlineOf = (deadline: NonNullable<Asset['deadline']>): Deadline => ({
  publishBy: deadline.publishBy === undefined ? undefined : timestampOf(deadline.publishBy),
  publicationTimeout: durationOf(deadline.publicationTimeout),
  notBefore: deadline.notBefore === undefined ? undefined : timestampOf(deadline.notBefore),
  state: deadline.state && `DEADLINE_STATE_${deadline.state.toUpperCase().replace('-', '_')}`,
  projectedAt: deadline.projectedAt === undefined ? undefined : timestampOf(deadline.projectedAt),
  slack: durationOf(deadline.slackSeconds),
  measures: deadline.measures,
});

export const progressOf = ({ percent, speed, timeLeft, stage, parts }: AssetProgress): Progress => ({
  percent,
  speed,
  timeLeft: durationOf(timeLeft),
  stage,
  parts: parts.map(({ name, state, error }) => ({
    name,
    state: `PART_STATE_${state.toUpperCase() as Uppercase<PartState>}`,
    error,
  })),
});

/** `720p`, `1080p-hevc`: the names of rungs, among parts that are sound, subtitles and pictures too. */
const RUNG = /^(\d+)p(?:-|$)/;

const heightOf = ({ name }: Variant): number => Number(RUNG.exec(name)?.[1] ?? 0);

/** What is published, and what is done of the work under way; of a size that is both, what is published. */
function variantsOf({ renditions, progress }: Asset): Variant[] {
  const published = renditions
    .filter(({ type }) => type === 'video')
    .map(({ name, width, height, codecs, bitrate, bytes, url }) => ({
      ...{ name, width, height, codecs, bytes, url },
      bitrate: bitrate === undefined ? undefined : Math.round(bitrate),
    }));
  const done = (progress?.parts ?? [])
    .filter(({ name, state }) => state === 'done' && RUNG.test(name))
    .filter(({ name }) => !published.some((variant) => variant.name === name))
    .map(({ name }) => ({ name }));
  return [...published, ...done].sort((a, b) => heightOf(b) - heightOf(a) || a.name.localeCompare(b.name));
}
