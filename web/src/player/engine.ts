/** hls.js on a video element; where there are no Media Source Extensions (iPhones), the browser's own HLS. */
import Hls, { type Level } from 'hls.js';
import { Cell } from '../lib/cell.js';

export interface Choice {
  readonly id: number;
  readonly name: string;
}

export interface Tracks {
  /** Largest first. */
  readonly rungs: readonly Choice[];
  readonly sounds: readonly Choice[];
  readonly texts: readonly Choice[];
  /** -1: whatever the line allows. */
  readonly rung: number;
  readonly sound: number;
  /** -1: none. */
  readonly text: number;
  /** What is playing. */
  readonly playing?: string | undefined;
}

export interface Engine {
  readonly tracks: Cell<Tracks>;
  /** A sentence, when it can not go on by itself. */
  readonly trouble: Cell<string | undefined>;
  pickRung(id: number): void;
  pickSound(id: number): void;
  pickText(id: number): void;
  close(): void;
}

const NONE: Tracks = { rungs: [], sounds: [], texts: [], rung: -1, sound: -1, text: -1 };
/** What has been played is kept for so long a seek back. Seconds. */
const BACK_BUFFER = 60;
/** A film that was interrupted for longer may go on where it was. */
const FATAL_TRIES = 4;

/** @param growing of what is being encoded, the lowest rung is there first */
export function openEngine(video: HTMLVideoElement, source: string, growing: boolean): Engine {
  return Hls.isSupported() ? openHls(video, source, growing) : openNative(video, source);
}

const nameOfLevel = ({ height, width, codecSet }: Level, all: readonly Level[]): string => {
  const short = Math.min(height || 0, width || 0) || height;
  const sets = new Set(all.map((level) => level.codecSet));
  return `${short}p${sets.size > 1 ? ` ${codecSet}` : ''}`;
};

function openHls(video: HTMLVideoElement, source: string, growing: boolean): Engine {
  const tracks = new Cell(NONE);
  const trouble = new Cell<string | undefined>(undefined);
  const hls = new Hls({
    // Segments are taken as they are: there is nothing to be done in a worker.
    enableWorker: false,
    backBufferLength: BACK_BUFFER,
    capLevelToPlayerSize: true,
    ...(growing && { startLevel: 0, maxBufferLength: 12 }),
  });
  let tries = 0;
  const look = (): void => {
    const { levels, audioTracks, subtitleTracks } = hls;
    const playing = levels[hls.currentLevel];
    const named = (list: readonly { name: string; lang?: string | undefined }[]): Choice[] =>
      list.map(({ name, lang }, id) => ({ id, name: name || lang || `Track ${id + 1}` }));
    tracks.value = {
      rungs: levels
        .map((level, id) => ({ id, name: nameOfLevel(level, levels), height: level.height }))
        .sort((a, b) => b.height - a.height),
      sounds: named(audioTracks),
      texts: named(subtitleTracks),
      rung: hls.autoLevelEnabled ? -1 : hls.nextLevel,
      sound: hls.audioTrack,
      text: hls.subtitleDisplay ? hls.subtitleTrack : -1,
      playing: playing && playing.height ? nameOfLevel(playing, levels) : undefined,
    };
  };
  const { Events } = Hls;
  const noted = [
    ...[Events.MANIFEST_PARSED, Events.LEVEL_SWITCHED, Events.AUDIO_TRACKS_UPDATED, Events.AUDIO_TRACK_SWITCHED],
    ...[Events.SUBTITLE_TRACKS_UPDATED, Events.SUBTITLE_TRACK_SWITCH, Events.LEVELS_UPDATED],
  ] as const;
  for (const event of noted) hls.on(event, look);
  hls.on(Events.FRAG_BUFFERED, () => {
    tries = 0;
    trouble.value = undefined;
  });
  hls.on(Events.ERROR, (_event, { fatal, type, response }) => {
    if (!fatal) return;
    tries += 1;
    if (tries > FATAL_TRIES || [401, 403, 404, 410].includes(response?.code ?? 0))
      trouble.value = sentenceOf(response?.code);
    else if (type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
    else if (hls.levels.length === 0) setTimeout(() => hls.loadSource(source), 1000 * tries);
    else setTimeout(() => hls.startLoad(), 1000 * tries);
  });
  hls.subtitleDisplay = false;
  hls.loadSource(source);
  hls.attachMedia(video);
  return {
    tracks,
    trouble,
    pickRung(id) {
      hls.nextLevel = id;
      look();
    },
    pickSound(id) {
      hls.audioTrack = id;
      look();
    },
    pickText(id) {
      hls.subtitleDisplay = id >= 0;
      hls.subtitleTrack = id;
      look();
    },
    close: () => hls.destroy(),
  };
}

function sentenceOf(status: number | undefined): string {
  if (status === 401 || status === 403) return 'This link has expired.';
  if (status === 404 || status === 410) return 'This is not here any more.';
  if (status === 503) return 'This part is still being made. Try again in a moment.';
  return 'It can not be played just now.';
}

function openNative(video: HTMLVideoElement, source: string): Engine {
  const tracks = new Cell(NONE);
  const trouble = new Cell<string | undefined>(undefined);
  const list = (): TextTrack[] =>
    [...video.textTracks].filter(({ kind }) => kind === 'subtitles' || kind === 'captions');
  const look = (): void => {
    tracks.value = {
      ...NONE,
      texts: list().map(({ label, language }, id) => ({ id, name: label || language })),
      text: list().findIndex(({ mode }) => mode === 'showing'),
    };
  };
  const fail = (): void => {
    trouble.value = sentenceOf(undefined);
  };
  video.textTracks.addEventListener('addtrack', look);
  video.textTracks.addEventListener('change', look);
  video.addEventListener('error', fail);
  video.src = source;
  return {
    tracks,
    trouble,
    pickRung: () => undefined,
    pickSound: () => undefined,
    pickText(id) {
      for (const [i, track] of list().entries()) track.mode = i === id ? 'showing' : 'disabled';
    },
    close() {
      video.textTracks.removeEventListener('addtrack', look);
      video.textTracks.removeEventListener('change', look);
      video.removeEventListener('error', fail);
      video.removeAttribute('src');
      video.load();
    },
  };
}
