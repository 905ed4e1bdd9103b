import type { Chunks } from './chunks.js';
import type { Later } from './later.js';
import type { Parts } from './parts.js';
import type { Quality } from './quality.js';
import type { Steps } from './steps.js';
import type { Story } from './story.js';

/** What the rooms of one video's workflow share with the one that keeps time. */
export interface Rooms {
  readonly steps: Steps;
  readonly parts: Parts;
  readonly chunks: Chunks;
  readonly quality: Quality;
  readonly story: Story;
  readonly later: Later;
}
