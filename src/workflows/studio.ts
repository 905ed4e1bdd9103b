import type { Pacing } from './pacing.js';
import type { Rooms } from './rooms.js';

/** What the rooms of one video's workflow share. */
export interface Studio extends Rooms {
  readonly pacing: Pacing;
}
