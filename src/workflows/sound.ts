/** What workflows know of sound segments: how many there are. Their frames are for activities. */
import { AUDIO_SEGMENT_SECONDS, type AudioTrack, type Chunk, type VideoPlan } from '../contracts/plan.js';

/** Segments of a preview: more than a player needs to start, and not so many that reading past their pictures takes time. */
export const PREVIEW_SEGMENTS = 4;

export const audioSegments = ({ facts }: VideoPlan): number =>
  Math.max(1, Math.ceil(facts.duration / AUDIO_SEGMENT_SECONDS));

/** The run from there, as long as the sound lasts. */
export function previewFrom(plan: VideoPlan, firstSegment: number): Chunk {
  return { firstSegment, segments: Math.min(PREVIEW_SEGMENTS, audioSegments(plan) - firstSegment) };
}

/** What a player starts with. */
export const defaultTrack = ({ audio }: VideoPlan): AudioTrack | undefined =>
  audio.find(({ isDefault }) => isDefault) ?? audio[0];
