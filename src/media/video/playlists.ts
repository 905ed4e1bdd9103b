/** HLS playlists (RFC 8216). */
import type { AudioTrack, Rational, VideoRung } from '../../contracts/plan.js';
import { INIT_FILE, segmentName } from './encode-args.js';
import { toNumber } from './frame-rate.js';

const END = '';

/** @param durations seconds of every segment, in order */
export function mediaPlaylist(durations: readonly number[]): string {
  const target = Math.max(1, ...durations.map((seconds) => Math.round(seconds)));
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${target}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    `#EXT-X-MAP:URI="${INIT_FILE}"`,
    ...durations.flatMap((seconds, segment) => [`#EXTINF:${seconds.toFixed(6)},`, segmentName(segment)]),
    '#EXT-X-ENDLIST',
    END,
  ].join('\n');
}

/** Bits per second, measured on finished segments. */
export interface Bandwidth {
  readonly peak: number;
  readonly average: number;
}

export interface VideoVariant {
  readonly rung: VideoRung;
  readonly fps: Rational;
  readonly codecs: string;
  readonly bandwidth: Bandwidth;
  /** Relative to the master playlist. */
  readonly uri: string;
}

export interface AudioVariant {
  readonly track: AudioTrack;
  readonly codecs: string;
  readonly bandwidth: Bandwidth;
  readonly uri: string;
}

const GROUP = 'audio';

/** Without video every audio track is a variant of its own. */
export function masterPlaylist(video: readonly VideoVariant[], audio: readonly AudioVariant[]): string {
  const head = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
  if (video.length === 0) return [...head, ...audio.flatMap(audioOnlyVariant), END].join('\n');
  return [
    ...head,
    ...audio.map((variant, index) => audioMedia(variant, nameOf(audio, index))),
    ...video.flatMap((variant) => videoVariant(variant, audio)),
    END,
  ].join('\n');
}

/** RFC 8216 4.3.4.1: names within a group must differ. */
function nameOf(audio: readonly AudioVariant[], index: number): string {
  const wanted = ({ track }: AudioVariant): string => track.title ?? track.language ?? track.name;
  const name = wanted(audio[index]!);
  const before = audio.slice(0, index).filter((variant) => wanted(variant) === name).length;
  return before === 0 ? name : `${name} (${before + 1})`;
}

function audioMedia({ track, uri }: AudioVariant, name: string): string {
  return `#EXT-X-MEDIA:${attributes({
    TYPE: 'AUDIO',
    'GROUP-ID': quoted(GROUP),
    NAME: quoted(name),
    LANGUAGE: track.language && quoted(track.language),
    DEFAULT: track.isDefault ? 'YES' : 'NO',
    AUTOSELECT: 'YES',
    CHANNELS: quoted(String(track.channels)),
    URI: quoted(uri),
  })}`;
}

/** RFC 8216 4.3.4.2: the bandwidth of a variant includes that of any rendition it may be played with. */
function videoVariant({ rung, fps, codecs, bandwidth, uri }: VideoVariant, audio: readonly AudioVariant[]): string[] {
  const dearest = (of: (b: Bandwidth) => number): number =>
    Math.max(0, ...audio.map((variant) => of(variant.bandwidth)));
  return [
    `#EXT-X-STREAM-INF:${attributes({
      BANDWIDTH: String(Math.ceil(bandwidth.peak + dearest((b) => b.peak))),
      'AVERAGE-BANDWIDTH': String(Math.ceil(bandwidth.average + dearest((b) => b.average))),
      CODECS: quoted([...new Set([codecs, ...audio.map((variant) => variant.codecs)])].join(',')),
      RESOLUTION: `${rung.width}x${rung.height}`,
      'FRAME-RATE': toNumber(fps).toFixed(3),
      AUDIO: audio.length > 0 ? quoted(GROUP) : undefined,
    })}`,
    uri,
  ];
}

function audioOnlyVariant({ codecs, bandwidth, uri }: AudioVariant): string[] {
  return [
    `#EXT-X-STREAM-INF:${attributes({
      BANDWIDTH: String(Math.ceil(bandwidth.peak)),
      'AVERAGE-BANDWIDTH': String(Math.ceil(bandwidth.average)),
      CODECS: quoted(codecs),
    })}`,
    uri,
  ];
}

const quoted = (text: string): string => `"${text.replace(/["\r\n]/g, ' ')}"`;

function attributes(list: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(list)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
