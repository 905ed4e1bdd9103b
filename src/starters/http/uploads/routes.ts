/** Ways in. */
import type { ApiContext } from '../../../api/context.js';
import type { Server } from '../instance.js';
import { registerDirect } from './direct.js';
import { registerPost } from './post.js';
import { registerResumable } from './resumable.js';
import { registerTus } from './tus.js';

export function registerUploads(server: Server, ctx: ApiContext): void {
  registerPost(server, ctx);
  registerTus(server, ctx);
  registerResumable(server, ctx);
  registerDirect(server, ctx);
}
