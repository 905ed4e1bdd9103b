/** What is made of a source: the grid, the rungs, the audio and subtitle tracks, the stills. */
import { MediaError } from '../../contracts/errors.js';
import type {
  AudioFacts,
  AudioTrack,
  Grid,
  SubtitleFacts,
  SubtitleTrack,
  VideoFacts,
  VideoPlan,
} from '../../contracts/plan.js';
import type { Profile } from '../../contracts/profile.js';
import { outputFrameRate, toNumber } from './frame-rate.js';
import { ladder } from './ladder.js';
import { planStills } from './stills.js';

/** Seconds of a segment, rounded to whole GOPs of whole frames. The audio grid has the same. */
export const SEGMENT_SECONDS = 4;

/** 5.1 */
const SURROUND_CHANNELS = 6;

/** @throws MediaError NO_MEDIA when the profile wants only sound and there is none */
export function planVideo(facts: VideoFacts, profile: Profile): VideoPlan {
  const sound = {
    audio: planAudio(facts.audio, profile.audio),
    ...(profile.audio.loudness === 'off' ? {} : { loudness: profile.audio.loudness }),
  };
  const { video } = facts;
  if (!video || profile.rungs.length === 0) {
    if (facts.audio.length === 0) throw new MediaError('NO_MEDIA', 'Only its sound was asked for.');
    const nothing = { rungs: [], chunkSegments: 0, subtitles: [], stills: { posterFrames: [] }, minSsim: 0 };
    return { v: 2, kind: 'audio', facts, ...nothing, ...sound };
  }
  const grid = gridOf(video.frameRate, video.heldUntil ?? video.duration, profile);
  const rungs = ladder(video.width, video.height, toNumber(grid.fps), profile);
  return {
    v: 2,
    kind: 'video',
    facts,
    grid,
    rungs,
    // Where a seek may land anywhere, one continuous pass is what keeps every frame in its place.
    chunkSegments: facts.seekable ? profile.chunkSegments : 0,
    ...sound,
    subtitles: planSubtitles(facts.subtitles),
    stills: planStills(grid, rungs[0]!, {
      posterAtSeconds: profile.poster === 'auto' ? undefined : profile.poster.atSeconds,
      storyboard: profile.storyboard === 'off' ? undefined : profile.storyboard,
    }),
    ...(profile.watermark === 'off' ? {} : { watermark: profile.watermark }),
    minSsim: profile.minSsim,
  };
}

export function gridOf(
  sourceFps: number,
  seconds: number,
  { maxFps, gopSeconds }: Pick<Profile, 'maxFps' | 'gopSeconds'>,
): Grid {
  const fps = outputFrameRate(sourceFps, maxFps);
  const gopFrames = Math.max(1, Math.round(gopSeconds * toNumber(fps)));
  return {
    fps,
    gopFrames,
    segmentFrames: gopFrames * (SEGMENT_SECONDS / gopSeconds),
    totalFrames: Math.max(1, Math.round(seconds * toNumber(fps))),
  };
}

/** AAC, mono or stereo, and 5.1 beside it where the profile wants it; at the source's family of sampling rates. */
function planAudio(all: readonly AudioFacts[], audio: Profile['audio']): AudioTrack[] {
  const firstDefault = Math.max(
    0,
    all.findIndex(({ isDefault }) => isDefault),
  );
  return all.flatMap((track, index) => {
    const name = trackName('audio', index, track.language);
    const common = {
      streamIndex: track.streamIndex,
      language: track.language,
      title: track.title,
      sampleRate: track.sampleRate % 11_025 === 0 ? 44_100 : 48_000,
    };
    const channels = track.channels === 1 ? 1 : 2;
    const bitrateKbps = channels === 1 ? Math.ceil(audio.bitrateKbps / 2) : audio.bitrateKbps;
    // HLS allows one default in a group.
    const tracks: AudioTrack[] = [{ name, ...common, isDefault: index === firstDefault, channels, bitrateKbps }];
    if (audio.surround && track.channels >= SURROUND_CHANNELS) {
      const surround = { channels: SURROUND_CHANNELS, bitrateKbps: audio.surroundKbps };
      tracks.push({ name: `${name}-51`, ...common, isDefault: false, ...surround });
    }
    return tracks;
  });
}

/** One default at most: HLS allows no second one in a group. */
function planSubtitles(all: readonly SubtitleFacts[]): SubtitleTrack[] {
  const firstDefault = all.findIndex(({ isDefault }) => isDefault);
  return all.map(({ streamIndex, language, title, isForced }, index) => ({
    name: trackName('subs', index, language),
    streamIndex,
    language,
    title,
    isDefault: index === firstDefault,
    isForced,
  }));
}

const trackName = (kind: string, index: number, language: string | undefined): string =>
  [kind, index, language?.toLowerCase()].filter((part) => part !== undefined).join('-');
