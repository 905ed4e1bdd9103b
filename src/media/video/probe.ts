/** From ffprobe's words and measured packets to what a source is. */
import { MediaError } from '../../contracts/errors.js';
import type { AudioFacts, SourceIndex, VideoFacts } from '../../contracts/plan.js';
import { isCover } from './cover.js';
import { known, ratio, type FfprobeReport, type FfprobeStream } from './ffprobe-report.js';
import type { StreamSpan } from './packets.js';
import { languageOf, subtitleFacts, titleOf } from './track-facts.js';

export interface MediaLimits {
  readonly maxSeconds: number;
  readonly maxSidePx: number;
}

export interface ProbeInput {
  readonly report: FfprobeReport;
  readonly spans: ReadonlyMap<number, StreamSpan>;
  /** ffprobe's warnings while it read all packets. */
  readonly warnings: string;
  /** Where the spans come from, when they are not measured by reading all packets. */
  readonly index?: Omit<SourceIndex, 'originSeconds'> | undefined;
}

/** Formats whose demuxers seek by an index to a key frame at or before the wanted time. */
const SEEKABLE = new Set(['mov', 'matroska']);

/** Tracks beyond these would make the plan larger than a workflow may carry. */
const MAX_AUDIO_TRACKS = 16;

const TRUNCATION = /ended prematurely|ends prematurely|partial file|Packet corrupt|Truncating packet|unexpected EOF/i;

/** How much of a truncated source must be there to be worth keeping: one segment, or nearly all. */
const KEEP_SECONDS = 4;
const KEEP_SHARE = 0.9;

/**
 * @throws MediaError NO_MEDIA, ENCRYPTED, DAMAGED_FILE, TRUNCATED_FILE, UNSUPPORTED_FORMAT, LIMIT_DURATION, LIMIT_SIDE
 */
export function readFacts({ report, spans, warnings, index }: ProbeInput, limits: MediaLimits): VideoFacts {
  const streams = report.streams ?? [];
  const container = report.format?.format_name?.split(',')[0] ?? 'unknown';
  const pictures = streams.filter((s) => s.codec_type === 'video' && !isCover(s, container));
  const sounds = streams.filter((s) => s.codec_type === 'audio');
  if (pictures.length + sounds.length === 0) throw new MediaError('NO_MEDIA');
  for (const stream of [...pictures, ...sounds]) if (isEncrypted(stream)) throw new MediaError('ENCRYPTED');

  const filled = (s: FfprobeStream): boolean => (spans.get(s.index)?.packets ?? 0) > 0;
  const readable = [...pictures, ...sounds].filter(filled);
  if (readable.length === 0)
    throw TRUNCATION.test(warnings)
      ? new MediaError('TRUNCATED_FILE')
      : new MediaError('DAMAGED_FILE', 'It holds no frame.');
  if (!readable.some((s) => known(s.codec_name) && s.codec_name !== 'none')) throw new MediaError('UNSUPPORTED_FORMAT');

  const origin = originOf(
    report,
    readable.map((s) => spans.get(s.index)!),
  );
  const picture = bestPicture(
    pictures.filter((s) => filled(s) && known(s.codec_name)),
    (s) => spans.get(s.index)!.end - spans.get(s.index)!.start,
  );
  const shown = picture && pictureFacts(picture, spans.get(picture.index)!, origin);
  const audio = sounds
    .filter((s) => filled(s) && known(s.codec_name) && (s.channels ?? 0) > 0 && Number(s.sample_rate) > 0)
    .slice(0, MAX_AUDIO_TRACKS)
    .map((s) => soundFacts(s, spans.get(s.index)!, origin));
  const video = shown && { ...shown, heldUntil: heldUntil(shown.duration, audio, spans) };
  if (!video && audio.length === 0) {
    if (pictures.some(filled)) throw new MediaError('DAMAGED_FILE', 'Its picture has no size.');
    throw new MediaError('UNSUPPORTED_FORMAT');
  }

  const duration = Math.max(video?.duration ?? 0, ...audio.map((track) => track.duration));
  if (duration > limits.maxSeconds)
    throw new MediaError('LIMIT_DURATION', `It is ${clock(duration)} long, ${clock(limits.maxSeconds)} is allowed.`);
  if (video && Math.max(video.width, video.height) > limits.maxSidePx)
    throw new MediaError('LIMIT_SIDE', `It is ${video.width}x${video.height}, ${limits.maxSidePx} is allowed.`);

  const truncatedFrom = TRUNCATION.test(warnings) ? promised(report, duration, video?.frameRate) : undefined;
  if (truncatedFrom !== undefined && duration < KEEP_SECONDS && duration < truncatedFrom * KEEP_SHARE)
    throw new MediaError('TRUNCATED_FILE', `It holds ${duration.toFixed(1)} of ${truncatedFrom.toFixed(1)} s.`);
  const inOrder = [picture?.index, ...audio.map((track) => track.streamIndex)].every(
    (stream) => stream === undefined || spans.get(stream)!.disorder === 0,
  );
  const seekable = truncatedFrom === undefined && inOrder && isSeekable(report, container, picture ?? readable[0]!);
  return {
    container,
    duration,
    seekable,
    truncatedFrom,
    video,
    audio,
    subtitles: subtitleFacts(streams.filter(filled)),
    index: seekable && index ? { ...index, originSeconds: origin } : undefined,
  };
}

/** Why ffprobe could not open a file, from its last words. */
export function openingError(stderr: string): MediaError {
  if (/not on whitelist|Unknown input format/i.test(stderr)) return new MediaError('UNSUPPORTED_TYPE');
  if (/encrypt|decrypt/i.test(stderr)) return new MediaError('ENCRYPTED');
  if (/moov atom not found/i.test(stderr)) return new MediaError('DAMAGED_FILE', 'Its index (moov) is missing.');
  return new MediaError('DAMAGED_FILE');
}

/** An index of the whole file: a fragmented MP4 has none (and no count of frames), a live Matroska no duration. */
function isSeekable(report: FfprobeReport, container: string, stream: FfprobeStream): boolean {
  if (!SEEKABLE.has(container) || report.format?.duration === undefined) return false;
  return container !== 'mov' || stream.nb_frames !== undefined;
}

/** By its sample entry (MP4), or by what comes with it (WebM). */
function isEncrypted({ codec_tag_string, side_data_list }: FfprobeStream): boolean {
  return (
    /^enc[av]$/.test(codec_tag_string ?? '') ||
    (side_data_list ?? []).some(({ side_data_type }) => side_data_type?.startsWith('Encryption init'))
  );
}

/** Where ffmpeg puts t = 0. */
function originOf(report: FfprobeReport, spans: readonly StreamSpan[]): number {
  const start = Number.parseFloat(report.format?.start_time ?? '');
  return Number.isFinite(start) ? start : Math.min(...spans.map((span) => span.start));
}

/** Of the longest, one that is not half as long is a still or a trailer, however large it is. */
const LONG_ENOUGH = 0.5;

/** The largest of the long ones; of equals the one marked as default, then the first. @param length seconds */
function bestPicture(
  streams: readonly FfprobeStream[],
  length: (stream: FfprobeStream) => number,
): FfprobeStream | undefined {
  const area = (s: FfprobeStream): number => (s.width ?? 0) * (s.height ?? 0);
  const sized = streams.filter((s) => area(s) > 0);
  const longest = Math.max(...sized.map(length));
  return sized
    .filter((s) => length(s) >= longest * LONG_ENOUGH)
    .sort(
      (a, b) => area(b) - area(a) || (b.disposition?.default ?? 0) - (a.disposition?.default ?? 0) || a.index - b.index,
    )[0];
}

function pictureFacts(stream: FfprobeStream, span: StreamSpan, origin: number): NonNullable<VideoFacts['video']> {
  const rotation = rotationOf(stream);
  const stretched = Math.max(1, Math.round(stream.width! * (ratio(stream.sample_aspect_ratio) ?? 1)));
  const [width, height] = rotation % 180 === 0 ? [stretched, stream.height!] : [stream.height!, stretched];
  const frameRate = frameRateOf(stream, span);
  return {
    streamIndex: stream.index,
    codec: stream.codec_name!,
    width,
    height,
    rotation,
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order ?? ''),
    frameRate,
    duration: Math.max(span.end, span.last + 1 / frameRate) - origin,
    pixelFormat: known(stream.pix_fmt) ?? 'unknown',
    transfer: known(stream.color_transfer),
    primaries: known(stream.color_primaries),
    matrix: known(stream.color_space),
  };
}

function soundFacts(stream: FfprobeStream, span: StreamSpan, origin: number): AudioFacts {
  return {
    streamIndex: stream.index,
    codec: stream.codec_name!,
    channels: stream.channels!,
    sampleRate: Number(stream.sample_rate),
    duration: span.end - origin,
    language: languageOf(stream),
    title: titleOf(stream),
    isDefault: stream.disposition?.default === 1,
  };
}

/**
 * Streams that were recorded together end within a second of each other, and what is cut off then is nothing
 * that anybody misses. Beyond that it is a song with one picture, or a talk whose camera went off.
 */
const HEARD_SECONDS = 1;
/** Sound that goes on has its packets closer together. A time stamp that jumps far away is no sound. Seconds. */
const WIDEST_PACKETS = 2;

function heldUntil(
  duration: number,
  audio: readonly AudioFacts[],
  spans: ReadonlyMap<number, StreamSpan>,
): number | undefined {
  const isContinuous = ({ streamIndex }: AudioFacts): boolean => {
    const { packets, start, end, disorder } = spans.get(streamIndex)!;
    return disorder === 0 && end - start <= packets * WIDEST_PACKETS;
  };
  const longest = Math.max(0, ...audio.filter(isContinuous).map((track) => track.duration));
  return longest > duration + HEARD_SECONDS ? longest : undefined;
}

/** Degrees clockwise; ffprobe reports the matrix's angle counter-clockwise. */
function rotationOf(stream: FfprobeStream): number {
  const angle = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  const quarter = Math.round(-angle / 90) * 90;
  // ffmpeg turns by odd angles within the frame's own size.
  return Math.abs(-angle - quarter) > 2 ? 0 : ((quarter % 360) + 360) % 360;
}

/** A cadence so much faster than the mean: frames were left out where nothing moved (screen recordings). */
const GAPPY = 1.3;

function frameRateOf(stream: FfprobeStream, span: StreamSpan): number {
  const header = ratio(stream.avg_frame_rate);
  const stretch = span.last - span.start;
  if (span.packets < 2 || stretch <= 0) return header !== undefined && header <= 240 ? header : 25;
  const mean = (span.packets - 1) / stretch;
  const cadence = span.interval > 0 ? 1 / span.interval : mean;
  const measured = cadence > mean * GAPPY && cadence <= 120 ? cadence : mean;
  // The header is the more exact one where it agrees with the packets.
  return header !== undefined && Math.abs(header / measured - 1) < 0.05 ? header : measured;
}

/** Seconds that the header promises, when that is more than there is: by a frame, or by a packet of sound. */
function promised(report: FfprobeReport, duration: number, frameRate = 20): number | undefined {
  const header = Number.parseFloat(report.format?.duration ?? '');
  return header > duration + 1.5 / frameRate ? header : undefined;
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
    .map((n) => String(n).padStart(2, '0'))
    .join(':');
}
