/**
 * `GET /v1/assets/{id}/play/master.m3u8`, `.../manifest.mpd` and all that these name.
 *
 * Paths mirror the store's. One without a generation is redirected to the one to play now, so that all
 * that a player asks for afterwards is of one piece, whatever is published meanwhile. Bytes of media are
 * the store's to send: published playlists name signed URLs into it; while it grows they name us, and a
 * segment is a redirect to one, as soon as it is there.
 */
import type { FastifyReply } from 'fastify';
import { Type, type Static } from 'typebox';
import type { AssetRow } from '../../../catalogue/catalogue.js';
import type { VideoPlan } from '../../../contracts/plan.js';
import { INIT_FILE, MIME, previewPrefix, segmentName } from '../../../media/video/layout.js';
import type { ApiContext } from '../../../api/context.js';
import { stageOf, type Stage } from '../../../api/playback/stage.js';
import { PlaybackTokens } from '../../../api/playback/tokens.js';
import { ApiProblem } from '../../../api/problems.js';
import type { Server } from '../instance.js';
import { Assets } from './assets.js';
import { Holds } from './holds.js';
import { Links } from './links.js';
import { playContext } from './ports.js';
import { isPlain, splitGeneration, targetOf, type Target } from './targets.js';
import { Texts } from './texts.js';
import { registerPlaybackToken } from './token.js';
import { viewerOf } from './viewer.js';
import { Wishes } from './wishes.js';

const Params = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{24}$' }),
  '*': Type.String({ description: '`master.m3u8`, `manifest.mpd`, `images/poster.jpg`, or what these name.' }),
});
const Query = Type.Object({
  token: Type.Optional(Type.String({ maxLength: 2048, description: 'A playback token, instead of an API key.' })),
});

const NEVER = 'no-store';
/** A repair may add a rendition to what is published. Seconds. */
const SHORTLY = 'max-age=10';

/**
 * The encoders are about to come by where the segment before is there already: only if they don't for so
 * long, the workflow is asked to begin there too, which costs it a decode of its own. Milliseconds.
 */
const PATIENCE_MS = 1_500;

interface Asked extends Stage {
  readonly row: AssetRow;
  /** Below the generation's prefix. */
  readonly path: string;
  readonly token: string | undefined;
  readonly gone: AbortSignal;
}

export function registerPlay(server: Server, api: ApiContext): void {
  const ctx = playContext(api);
  const { http, storage } = ctx.config;
  const tokens = new PlaybackTokens(http.tokenSecret);
  const assets = new Assets(ctx, storage.mediaBucket);
  const links = new Links(ctx);
  const texts = new Texts(assets, links);
  const holds = new Holds(http.holdSeconds, http.maxHeld);
  const wishes = new Wishes(ctx);
  // Where somebody had to show something, nobody else is to be given the answer.
  const shortly = `${http.auth === 'off' ? 'public' : 'private'}, ${SHORTLY}`;
  server.addHook('preClose', (done) => {
    holds.close();
    done();
  });
  registerPlaybackToken(server, ctx, tokens);

  const schema = {
    tags: ['playback'],
    summary: 'Play: playlists, and redirects to what they name',
    params: Params,
    querystring: Query,
    response: {
      200: {
        description: 'A playlist, a manifest, or WebVTT thumbnails.',
        content: {
          [MIME.playlist]: { schema: Type.String() },
          [MIME.manifest]: { schema: Type.String() },
          [MIME.subtitles]: { schema: Type.String() },
        },
      },
      302: { description: 'Where it is.', type: 'null' },
    },
  };
  const config = { access: 'open', uncounted: true } as const;
  server.get('/v1/assets/:id/play/*', { schema, config }, async (request, reply) => {
    const { id, '*': whole }: Static<typeof Params> = request.params;
    const { authorization } = request.headers;
    const { tenant, token } = await viewerOf(ctx, tokens, { assetId: id, token: request.query.token, authorization });
    const { generation, rest: path } = splitGeneration(whole);
    if (!isPlain(path)) throw new ApiProblem('not-found');
    const row = await assets.row(id);
    if (!row || (tenant !== undefined && row.tenant !== tenant)) throw new ApiProblem('asset-unknown');
    const stage = stageOf(row, generation);
    if (generation === undefined) return redirectToGeneration(reply, stage.generation, path, request.url);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return serve({ ...stage, row, path, token, gone: gone.signal }, reply);
  });

  async function serve(asked: Asked, reply: FastifyReply): Promise<FastifyReply> {
    const { stage, path, token } = asked;
    const plan = await planOf(asked);
    const target = targetOf(plan, path);
    if (!target) throw new ApiProblem('not-found');
    if (target.kind === 'document') {
      const text = await texts.of(asked, plan, path, token);
      if (text === undefined) throw new ApiProblem('not-found');
      return reply
        .header('cache-control', stage === 'growing' ? NEVER : shortly)
        .type(MIME[target.mime])
        .send(text);
    }
    const key = stage === 'growing' ? await arrival(asked, target) : asked.prefix + path;
    // Half its time: whoever follows a remembered redirect still finds it good.
    const remembered = `private, max-age=${Math.floor(http.signedUrlSeconds / 2)}`;
    return reply.header('cache-control', stage === 'growing' ? NEVER : remembered).redirect(await links.to(key), 302);
  }

  async function planOf(asked: Asked): Promise<VideoPlan> {
    const { row, generation, stage, prefix, gone } = asked;
    if (stage === 'growing')
      return holds.until(
        `${row.id} ${generation}`,
        whileGrowing(asked, (now) => assets.plan(now)),
        gone,
      );
    const plan = await assets.plan(prefix);
    if (!plan) throw new ApiProblem('not-found');
    return plan;
  }

  /** Waits for an object. Returns its key. */
  async function arrival(asked: Asked, target: Exclude<Target, { kind: 'document' }>): Promise<string> {
    const { row, generation, path, gone } = asked;
    const look = (prefix: string) => assets.firstOf([prefix + path, ...previewOf(asked, target)]);
    if (target.kind === 'extra') {
      const key = await look(asked.prefix);
      if (key === undefined) throw new ApiProblem('not-found');
      return key;
    }
    const missed = target.kind === 'media' ? () => wish(asked, target) : undefined;
    return holds.until(`${row.id} ${generation} ${path}`, whileGrowing(asked, look), gone, missed);
  }

  /** @returns what takes it back, as long as it has not been sent */
  function wish(asked: Asked, { name, segment }: Extract<Target, { kind: 'media' }>): () => void {
    let timer: NodeJS.Timeout | undefined;
    let over = false;
    const make = (): void => wishes.make(asked.row, { name, segment });
    const soon = async (): Promise<void> => {
      const isNext = asked.path.endsWith(INIT_FILE) || (segment > 0 && (await isThere(asked, segment - 1)));
      if (over) return;
      if (isNext) timer = setTimeout(make, PATIENCE_MS);
      else make();
    };
    soon().catch((error: unknown) => ctx.logger.debug('could not look for the segment before', { error }));
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }

  async function isThere({ prefix, path }: Asked, segment: number): Promise<boolean> {
    return (await assets.firstOf([prefix + path.replace(/[^/]+$/, segmentName(segment))])) !== undefined;
  }

  /** Rejects as soon as there is nothing to wait for any more. @param look below the prefix that it is given */
  function whileGrowing<T>({ row, generation }: Asked, look: (prefix: string) => Promise<T | undefined>) {
    return async (): Promise<T | undefined> => {
      // In this order: what is not there after the end will never be there.
      const { stage, prefix } = stageOf(await assets.row(row.id), generation);
      const found = await look(prefix);
      if (found === undefined && stage === 'published') throw new ApiProblem('not-found');
      return found;
    };
  }
}

/** A track as it is, to be heard until the real one is there. */
function previewOf({ row, generation, path }: Asked, target: Target): string[] {
  if (target.kind !== 'media' || target.type !== 'audio') return [];
  return [previewPrefix({ assetId: row.id, generation }, target.name) + path.split('/').at(-1)!];
}

/** Relative, so that it stays right behind a proxy that serves us below a path of its own. */
function redirectToGeneration(reply: FastifyReply, generation: number, path: string, url: string): FastifyReply {
  const up = '../'.repeat(path.split('/').length - 1);
  const query = url.includes('?') ? url.slice(url.indexOf('?')) : '';
  return reply.header('cache-control', NEVER).redirect(`${up}g${generation}/${path}${query}`, 302);
}
