/** The task queue of this very process: what it promised, only it can keep. */
import { hostname } from 'node:os';

import type { QueueNames } from '../../contracts/names.js';

export const ownQueue = ({ publish }: QueueNames): string => `${publish}@${hostname()}:${process.pid}`;
