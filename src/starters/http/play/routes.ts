/**
 * `GET /v1/assets/{id}/play/master.m3u8`, `.../manifest.mpd` and all that these name.
 *
 * Paths mirror the store's. One without a generation is redirected to the one to play now, so that all
 * that a player asks for afterwards is of one piece, whatever is published meanwhile. Bytes of media are
 * the store's to send: a segment is a redirect to a signed URL.
 */
import type { FastifyReply } from 'fastify';
import { Type, type Static } from 'typebox';
import type { AssetRow } from '../../../catalogue/catalogue.js';
import { outputPrefix } from '../../../contracts/assets.js';
import type { VideoPlan } from '../../../contracts/plan.js';
import { INIT_FILE, MIME, previewPrefix, segmentName } from '../../../media/video/layout.js';
import type { HttpPorts, HttpSettings } from '../ports.js';
import { ApiProblem } from '../../../api/problems.js';
import type { Server } from '../instance.js';
import { Assets } from './assets.js';
import { Holds } from './holds.js';
import { stageOf, type Stage } from './stage.js';
import { isPlain, splitGeneration, targetOf, type Target } from './targets.js';
import { Wishes } from './wishes.js';

const Params = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{24}$' }), '*': Type.String() });

const NEVER = 'no-store';
/** A repair may add a rendition to what is published. */
const SHORTLY = 'public, max-age=10';

/**
 * The encoders are about to come by where the segment before is there already: only if they don't for so
 * long, the workflow is asked to begin there too, which costs it a decode of its own. Milliseconds.
 */
const PATIENCE_MS = 1_500;

interface Asked extends Stage {
  readonly row: AssetRow;
  /** Below the generation's prefix. */
  readonly path: string;
  readonly gone: AbortSignal;
}

export function registerPlay(server: Server, ports: HttpPorts, settings: HttpSettings): void {
  const assets = new Assets(ports, settings.mediaBucket);
  const holds = new Holds(settings.holdSeconds, settings.maxHeld);
  const wishes = new Wishes(ports);
  server.addHook('preClose', (done) => {
    holds.close();
    done();
  });

  server.get('/v1/assets/:id/play/*', { schema: { params: Params } }, async (request, reply) => {
    const { id, '*': whole }: Static<typeof Params> = request.params;
    const { generation, rest: path } = splitGeneration(whole);
    if (!isPlain(path)) throw new ApiProblem('not-found');
    const row = await assets.row(id);
    const stage = stageOf(row, generation);
    if (generation === undefined) return redirectToGeneration(reply, stage.generation, path, request.url);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return serve({ ...stage, row: row!, path, gone: gone.signal }, reply);
  });

  async function serve(asked: Asked, reply: FastifyReply): Promise<FastifyReply> {
    const { row, generation, stage, path } = asked;
    const plan = await planOf(asked);
    const target = targetOf(plan, path);
    if (!target) throw new ApiProblem('not-found');
    if (target.kind === 'document') {
      const text =
        stage === 'growing'
          ? assets.plannedText(row.id, generation, plan, path)
          : await assets.publishedText(row.id, generation, path);
      if (text === undefined) throw new ApiProblem('not-found');
      return reply
        .header('cache-control', stage === 'growing' ? NEVER : SHORTLY)
        .type(MIME[target.mime])
        .send(text);
    }
    const key = stage === 'growing' ? await arrival(asked, target) : keyOf(asked);
    const url = await ports.store.signedUrl(settings.mediaBucket, key, settings.signedUrlSeconds);
    // Half its time: whoever follows a remembered redirect still finds it good.
    const remembered = `private, max-age=${Math.floor(settings.signedUrlSeconds / 2)}`;
    return reply.header('cache-control', stage === 'growing' ? NEVER : remembered).redirect(url, 302);
  }

  async function planOf({ row, generation, stage, gone }: Asked): Promise<VideoPlan> {
    const look = () => assets.plan(row.id, generation);
    if (stage === 'growing')
      return holds.until(`${row.id} ${generation}`, whileGrowing(row.id, generation, look), gone);
    const plan = await look();
    if (!plan) throw new ApiProblem('not-found');
    return plan;
  }

  /** Waits for an object. Returns its key. */
  async function arrival(asked: Asked, target: Exclude<Target, { kind: 'document' }>): Promise<string> {
    const { row, generation, gone } = asked;
    const key = keyOf(asked);
    const keys = [key, ...previewOf(asked, target)];
    const look = () => assets.firstOf(keys);
    if (target.kind === 'extra') {
      if (await look()) return key;
      throw new ApiProblem('not-found');
    }
    const missed = target.kind === 'media' ? () => wish(asked, target) : undefined;
    return holds.until(key, whileGrowing(row.id, generation, look), gone, missed);
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
    soon().catch((error: unknown) => ports.logger.debug('could not look for the segment before', { error }));
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }

  async function isThere(asked: Asked, segment: number): Promise<boolean> {
    const path = asked.path.replace(/[^/]+$/, segmentName(segment));
    return (await assets.firstOf([keyOf({ ...asked, path })])) !== undefined;
  }

  /** Rejects as soon as there is nothing to wait for any more. */
  function whileGrowing<T>(id: string, generation: number, look: () => Promise<T | undefined>) {
    return async (): Promise<T | undefined> => {
      // In this order: what is not there after the end will never be there.
      const { stage } = stageOf(await assets.row(id), generation);
      const found = await look();
      if (found === undefined && stage === 'published') throw new ApiProblem('not-found');
      return found;
    };
  }
}

const keyOf = ({ row, generation, path }: Pick<Asked, 'row' | 'generation' | 'path'>): string =>
  outputPrefix(row.id, generation) + path;

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
