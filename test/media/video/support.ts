/** Sources as data, for tests of pure parts. */
import type { AudioFacts, VideoFacts } from '../../../src/contracts/plan.js';
import type { Profile } from '../../../src/contracts/profile.js';
import { loadProfiles } from '../../../src/config/profiles.js';

/** The shipped profile, with changes. */
export const profile = (own: Partial<Profile> = {}, name = 'default'): Profile => ({
  ...loadProfiles('').get(name),
  ...own,
});

type Video = NonNullable<VideoFacts['video']>;

export const video = (own: Partial<Video> = {}): Video => ({
  streamIndex: 0,
  codec: 'h264',
  width: 1280,
  height: 720,
  rotation: 0,
  interlaced: false,
  frameRate: 25,
  duration: 20,
  pixelFormat: 'yuv420p',
  ...own,
});

export const audio = (own: Partial<AudioFacts>): AudioFacts => ({
  streamIndex: 1,
  codec: 'aac',
  channels: 2,
  sampleRate: 48_000,
  duration: 20,
  isDefault: false,
  ...own,
});

export const facts = (own: Partial<VideoFacts> = {}): VideoFacts => ({
  container: 'mov',
  duration: 20,
  seekable: true,
  video: video(),
  audio: [],
  subtitles: [],
  ...own,
});
