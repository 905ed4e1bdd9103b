/** One rule of how to write HLS, and what it looks at. */
import { IFRAMES_FILE, PLAYLIST_FILE, streamUri, subtitleUri } from './layout.js';
import type { Master, MediaList } from './hls-parse.js';
import {
  secondsOfSegments,
  type AudioStream,
  type Presentation,
  type Timeline,
  type VideoStream,
} from './presentation.js';

export interface Rule {
  /** Number in the HLS Authoring Specification for Apple Devices (June 2025). */
  readonly rule: string;
  readonly level: 'MUST' | 'SHOULD';
  /** `text`: writing it better would meet it. `content`: it speaks of what a source or a profile offers. */
  readonly about: 'text' | 'content';
  /** Its words. */
  readonly quote: string;
  /** What does not meet it, each as a sentence. */
  problems(look: Look): string[];
}

export interface Look {
  /** Texts by their names below the generation's prefix. */
  readonly files: ReadonlyMap<string, string>;
  readonly master: Master;
  /** Media playlists of all kinds. */
  readonly lists: ReadonlyMap<string, MediaList>;
  readonly presentation: Presentation;
}

/** A playlist, and how long its segments really are. */
export interface Played {
  readonly uri: string;
  readonly list: MediaList;
  readonly timeline: Timeline;
}

const listOf = ({ lists }: Look, uri: string): MediaList => lists.get(uri) ?? { entries: [], tags: new Map() };
export const videoUri = ({ rung }: VideoStream): string => streamUri('video', rung.name) + PLAYLIST_FILE;
export const audioUri = ({ track }: AudioStream): string => streamUri('audio', track.name) + PLAYLIST_FILE;

export const videoLists = (look: Look): Played[] =>
  look.presentation.video.map((stream) => played(look, videoUri(stream), stream.timeline));
export const audioLists = (look: Look): Played[] =>
  look.presentation.audio.map((stream) => played(look, audioUri(stream), stream.timeline));
export const avLists = (look: Look): Played[] => [...videoLists(look), ...audioLists(look)];
export const iframeLists = (look: Look): Played[] =>
  look.presentation.video.map(({ rung, timeline }) =>
    played(look, streamUri('video', rung.name) + IFRAMES_FILE, timeline),
  );
export const subtitleLists = (look: Look): { readonly uri: string; readonly list: MediaList }[] =>
  look.presentation.subtitles.map(({ name }) => {
    const uri = subtitleUri(name) + PLAYLIST_FILE;
    return { uri, list: listOf(look, uri) };
  });

const played = (look: Look, uri: string, timeline: Timeline): Played => ({ uri, list: listOf(look, uri), timeline });

/** Seconds of one video frame; without a picture, of a frame of sound. */
export function frameSeconds({ presentation: { grid, audio } }: Look): number {
  if (grid) return grid.fps.den / grid.fps.num;
  return 1024 / Math.min(...audio.map(({ track }) => track.sampleRate));
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
export const totalSeconds = (timeline: Timeline): number => sum(secondsOfSegments(timeline));
export const listSeconds = ({ entries }: MediaList): number => sum(entries.map(({ seconds }) => seconds));

/** Whether two rates are within a tenth of each other. */
export const within10Percent = (declared: number, measured: number): boolean =>
  Math.abs(declared - measured) <= measured * 0.1;

/** Codecs of video samples, by how their RFC 6381 name begins. */
export const isVideoCodec = (codec: string): boolean => /^(avc|hvc|hev|av01|vp0|dvh)/.test(codec);
export const isAudioCodec = (codec: string): boolean => /^mp4a/.test(codec);
