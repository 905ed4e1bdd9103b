/** As much of an HLS player as fetches: master playlist, the smallest rung and its sound, init and media segments. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Stream {
  readonly init: URL;
  readonly segments: readonly { readonly url: URL; readonly from: number; readonly seconds: number }[];
}

export interface Presentation {
  readonly video: Stream;
  readonly audio: Stream | undefined;
  /** Seconds. */
  readonly duration: number;
}

const POLL_MS = 25;
const PATIENCE_MS = 120_000;

/** Asks until it is there: `404` before an asset is known, `503` while a part is not made. */
async function get(url: URL): Promise<Response> {
  const started = Date.now();
  for (;;) {
    const response = await fetch(url);
    if (response.ok) return response;
    await response.arrayBuffer();
    if (response.status !== 404 && response.status !== 503) throw new Error(`${response.status} for ${url.pathname}`);
    if (Date.now() - started > PATIENCE_MS) throw new Error(`${url.pathname}: still ${response.status}`);
    await sleep(POLL_MS);
  }
}

const attribute = (line: string, name: string): string | undefined =>
  new RegExp(`[:,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line)?.slice(1).find(Boolean);

/** @param url of the master playlist */
export async function openPresentation(url: URL): Promise<Presentation> {
  const response = await get(url);
  const base = new URL(response.url);
  const lines = (await response.text()).split('\n').map((line) => line.trim());
  const rungs = lines.flatMap((line, i) =>
    line.startsWith('#EXT-X-STREAM-INF:')
      ? [{ bandwidth: Number(attribute(line, 'BANDWIDTH')), group: attribute(line, 'AUDIO'), uri: lines[i + 1]! }]
      : [],
  );
  const lowest = rungs.reduce((a, b) => (b.bandwidth < a.bandwidth ? b : a));
  const sounds = lines.filter(
    (line) =>
      line.startsWith('#EXT-X-MEDIA:') &&
      attribute(line, 'TYPE') === 'AUDIO' &&
      attribute(line, 'GROUP-ID') === lowest.group,
  );
  const sound = sounds.find((line) => attribute(line, 'DEFAULT') === 'YES') ?? sounds[0];
  const [video, audio] = await Promise.all([
    openStream(new URL(lowest.uri, base)),
    sound ? openStream(new URL(attribute(sound, 'URI')!, base)) : undefined,
  ]);
  return { video, audio, duration: video.segments.reduce((sum, { seconds }) => sum + seconds, 0) };
}

async function openStream(url: URL): Promise<Stream> {
  const response = await get(url);
  const text = await response.text();
  if (!text.includes('#EXT-X-ENDLIST')) throw new Error(`${url.pathname} is not complete`);
  const init = /^#EXT-X-MAP:.*URI="([^"]+)"/m.exec(text)?.[1];
  const lines = text.split('\n').map((line) => line.trim());
  let from = 0;
  const segments = lines.flatMap((line, i) => {
    const seconds = Number(/^#EXTINF:([\d.]+)/.exec(line)?.[1]);
    if (!seconds) return [];
    const uri = lines.slice(i + 1).find((next) => next && !next.startsWith('#'))!;
    from += seconds;
    return [{ url: new URL(uri, response.url), from: from - seconds, seconds }];
  });
  return { init: new URL(init!, response.url), segments };
}

/** What a player needs before it can show a picture at a time: init and media segment of picture and sound. */
export async function fetchAt({ video, audio }: Presentation, seconds: number): Promise<void> {
  const parts = [video, ...(audio ? [audio] : [])].flatMap(({ init, segments }) => {
    const segment = segments.find(({ from, seconds: long }) => seconds < from + long) ?? segments.at(-1)!;
    return [init, segment.url];
  });
  await Promise.all(
    parts.map(async (url) => {
      const bytes = Buffer.from(await (await get(url)).arrayBuffer());
      // ISO BMFF: the type of the first box.
      const box = bytes.toString('latin1', 4, 8);
      if (!['ftyp', 'styp', 'moof', 'sidx', 'prft', 'emsg'].includes(box)) throw new Error(`${url.pathname}: ${box}`);
    }),
  );
}
