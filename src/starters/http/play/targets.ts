/** Which paths below `play/` mean something: those that the asset's plan knows, and no others. */
import { segmentCount, type VideoPlan } from '../../../contracts/plan.js';
import { AUDIO_SEGMENT_SECONDS } from '../../../media/video/audio-args.js';
import {
  IFRAMES_FILE,
  INIT_FILE,
  MANIFEST_FILE,
  MASTER_FILE,
  PLAYLIST_FILE,
  segmentOf,
  STORYBOARD_FILE,
  SUBTITLE_FILE,
} from '../../../media/video/layout.js';
import { subtitleDurations } from '../../../media/video/subtitles.js';

export type Target =
  /** Text that we send ourselves. */
  | { readonly kind: 'document'; readonly mime: 'playlist' | 'manifest' | 'subtitles' }
  /** A part of a rung or a track. `segment` of an init file is the first one: it comes with any of them. */
  | { readonly kind: 'media'; readonly type: 'video' | 'audio'; readonly name: string; readonly segment: number }
  /** An object that is worth a wait and that nobody can hasten. */
  | { readonly kind: 'awaited' }
  /** An object that a player can do without. */
  | { readonly kind: 'extra' };

/** A generation's number, when the path names one, and the rest. */
export function splitGeneration(path: string): { generation: number | undefined; rest: string } {
  const match = /^g([1-9]\d{0,8})\/(.*)$/s.exec(path);
  return match ? { generation: Number(match[1]), rest: match[2]! } : { generation: undefined, rest: path };
}

/** Whether some plan could know the path: letters, digits, `_`, `-`, and dots within names. Not the name of a generation. */
export const isPlain = (path: string): boolean =>
  /^(?!g\d+\/)\w[\w.-]*(\/\w[\w.-]*){0,2}$/.test(path) && path.length <= 200;

/** @param path below the generation's prefix, in the store as in the URL */
export function targetOf(plan: VideoPlan, path: string): Target | undefined {
  if (path === MASTER_FILE) return { kind: 'document', mime: 'playlist' };
  if (path === MANIFEST_FILE) return { kind: 'document', mime: 'manifest' };
  if (/^images\/poster[\w-]*\.(jpg|webp|png)$/.test(path)) return { kind: 'extra' };
  const [folder, name = '', file = '', ...more] = path.split('/');
  if (more.length > 0) return undefined;
  switch (folder) {
    case 'video':
    case 'audio':
      return streamTarget(plan, folder, name, file);
    case 'subs':
      return plan.subtitles.some((track) => track.name === name) ? subtitleTarget(plan, file) : undefined;
    case 'storyboard':
      if (!plan.stills.storyboard || file !== '') return undefined;
      // It names its sheets.
      if (name === STORYBOARD_FILE) return { kind: 'document', mime: 'subtitles' };
      return /^sheet-\d{3,5}\.(jpg|webp)$/.test(name) ? { kind: 'extra' } : undefined;
    default:
      return undefined;
  }
}

function streamTarget(plan: VideoPlan, type: 'video' | 'audio', name: string, file: string): Target | undefined {
  const known: readonly { readonly name: string }[] = type === 'video' ? plan.rungs : plan.audio;
  if (!known.some((stream) => stream.name === name)) return undefined;
  if (file === PLAYLIST_FILE) return { kind: 'document', mime: 'playlist' };
  if (file === IFRAMES_FILE) return type === 'video' ? { kind: 'document', mime: 'playlist' } : undefined;
  const segment = file === INIT_FILE ? 0 : segmentOf(file);
  if (segment === undefined || segment >= (type === 'video' ? videoSegments(plan) : soundSegments(plan)))
    return undefined;
  return { kind: 'media', type, name, segment };
}

function subtitleTarget(plan: VideoPlan, file: string): Target | undefined {
  if (file === PLAYLIST_FILE) return { kind: 'document', mime: 'playlist' };
  if (file === SUBTITLE_FILE) return { kind: 'awaited' };
  const segment = /^seg-(\d{5,})\.vtt$/.exec(file)?.[1];
  return segment !== undefined && Number(segment) < subtitleDurations(plan).length ? { kind: 'awaited' } : undefined;
}

export const videoSegments = ({ grid }: VideoPlan): number => (grid ? segmentCount(grid) : 0);

/** Of a track that is as long as the file; its last segment may lie past the picture's. */
export const soundSegments = ({ facts }: VideoPlan): number => Math.ceil(facts.duration / AUDIO_SEGMENT_SECONDS) + 1;
