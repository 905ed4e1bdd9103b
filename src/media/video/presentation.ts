/** What playlists and the manifest are written from: rungs and tracks as planned, or as verified. */
import {
  framesOfSegment,
  segmentCount,
  type AudioTrack,
  type Grid,
  type StoryboardPlan,
  type SubtitleTrack,
  type VideoPlan,
  type VideoRung,
} from '../../contracts/plan.js';
import { AAC_FRAME, audioSamples, audioSegmentFrames } from './audio-args.js';

/** Bits per second. */
export interface Bandwidth {
  /** Upper bound of any stretch of half a target duration or more. */
  readonly peak: number;
  /** Over all; unknown before the stream has been encoded. */
  readonly average?: number | undefined;
}

/** Lengths of all segments, in whole ticks: sums of rounded seconds would drift. */
export interface Timeline {
  /** Ticks per second. */
  readonly timescale: number;
  /** Ticks of every segment, in order. */
  readonly segments: readonly number[];
}

/** The first frame of a segment: from the segment's start to the end of its first sample. */
export interface IFrame {
  readonly bytes: number;
}

export interface VideoStream {
  readonly rung: VideoRung;
  readonly codecs: string;
  readonly bandwidth: Bandwidth;
  readonly timeline: Timeline;
  /** One for each segment; known once they are encoded. */
  readonly iframes?: readonly IFrame[] | undefined;
}

export interface AudioStream {
  readonly track: AudioTrack;
  readonly codecs: string;
  readonly bandwidth: Bandwidth;
  readonly timeline: Timeline;
}

/** The sheets of the storyboard, as they are in the store. */
export interface Storyboard {
  readonly plan: StoryboardPlan;
  /** Of all sheets. */
  readonly bytes: number;
}

export interface Presentation {
  readonly grid?: Grid | undefined;
  /** Largest first. */
  readonly video: readonly VideoStream[];
  readonly audio: readonly AudioStream[];
  readonly subtitles: readonly SubtitleTrack[];
  readonly storyboard?: Storyboard | undefined;
  /** Still being encoded: players shall start with what is made first, the lowest rung. */
  readonly growing?: boolean | undefined;
}

export const AAC_LC = 'mp4a.40.2';
/** AAC of constant rate strays by this much, boxes included. */
const AUDIO_OVERHEAD = 1.25;
const KILO = 1000;

/** Before anything is encoded. Subtitles are named by who knows that they are there. */
export function plannedPresentation(plan: VideoPlan, subtitles: readonly string[] = []): Presentation {
  const { grid } = plan;
  return {
    grid,
    video: grid
      ? plan.rungs.map((rung) => ({
          rung,
          codecs: rung.codecs,
          bandwidth: { peak: largestRate(rung, grid) },
          timeline: videoTimeline(grid, grid.totalFrames),
        }))
      : [],
    audio: plan.audio.map((track) => ({
      track,
      codecs: AAC_LC,
      bandwidth: { peak: Math.ceil(track.bitrateKbps * KILO * AUDIO_OVERHEAD) },
      timeline: audioTimeline(track, audioSamples(plan, track)),
    })),
    subtitles: plan.subtitles.filter(({ name }) => subtitles.includes(name)),
    growing: true,
  };
}

/** What passed, in the plan's order. @param streams of rungs and tracks */
export function verifiedPresentation(
  plan: VideoPlan,
  streams: readonly Measured[],
  beside: Pick<Presentation, 'subtitles' | 'storyboard'>,
): Presentation {
  const of = (name: string) => streams.filter((stream) => stream.name === name);
  const common = ({ codecs, peak, average, timeline }: Measured) => ({
    codecs,
    bandwidth: { peak, average },
    timeline,
  });
  return {
    grid: plan.grid,
    video: plan.rungs.flatMap((rung) => of(rung.name).map((s) => ({ rung, ...common(s), iframes: s.iframes }))),
    audio: plan.audio.flatMap((track) => of(track.name).map((s) => ({ track, ...common(s) }))),
    ...beside,
  };
}

interface Measured {
  readonly name: string;
  readonly codecs: string;
  readonly peak: number;
  readonly average: number;
  readonly timeline: Timeline;
  readonly iframes: readonly IFrame[];
}

/** A decoder's buffer may be emptied into one segment, on top of what comes in while it lasts. */
function largestRate({ maxrateKbps, bufsizeKbps }: VideoRung, { fps, segmentFrames }: Grid): number {
  return Math.ceil(KILO * (maxrateKbps + (bufsizeKbps * fps.num) / (segmentFrames * fps.den)));
}

/** @param frames that there really are: a source may end before its plan does */
export function videoTimeline(grid: Grid, frames: number): Timeline {
  const real = { ...grid, totalFrames: frames };
  return {
    timescale: grid.fps.num,
    segments: Array.from({ length: segmentCount(real) }, (_, i) => framesOfSegment(real, i) * grid.fps.den),
  };
}

/** @param samples of each channel */
export function audioTimeline({ sampleRate }: Pick<AudioTrack, 'sampleRate'>, samples: number): Timeline {
  return {
    timescale: sampleRate,
    segments: audioSegmentFrames(samples, sampleRate).map((frames) => frames * AAC_FRAME),
  };
}

export const secondsOfSegments = ({ timescale, segments }: Timeline): number[] =>
  segments.map((ticks) => ticks / timescale);

export const durationOf = ({ timescale, segments }: Timeline): number =>
  segments.reduce((sum, ticks) => sum + ticks, 0) / timescale;

/** BCP 47 ("Tags for Identifying Languages") as both formats want it: `eng` becomes `en`; undefined where it says nothing. */
export function languageTag(language: string | undefined): string | undefined {
  if (!language) return undefined;
  try {
    const [tag] = Intl.getCanonicalLocales(language.replaceAll('_', '-'));
    return tag === 'und' || tag === 'mis' || tag === 'zxx' ? undefined : tag;
  } catch {
    // Sources hold whatever their makers typed.
    return undefined;
  }
}

interface Labelled {
  readonly name: string;
  readonly title?: string | undefined;
  readonly language?: string | undefined;
}

/** What viewers choose by: the source's own title, else the language, else the name. Text from outside: escape it. */
export function labelOf({ name, title, language }: Labelled): string {
  const tag = languageTag(language);
  return title?.trim() || (tag && new Intl.DisplayNames(['en'], { type: 'language' }).of(tag)) || name;
}

/** Labels that differ from each other, as menus need them (RFC 8216, 4.3.4.1.1 asks for it within a group). */
export function labelsOf(items: readonly Labelled[]): string[] {
  const given = new Set<string>();
  return items.map((item) => {
    const wanted = labelOf(item);
    let label = wanted;
    for (let n = 2; given.has(label); n += 1) label = `${wanted} (${n})`;
    given.add(label);
    return label;
  });
}
