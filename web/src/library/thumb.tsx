/** A picture in a box whose shape is known before it comes, with what it will look like until then. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { thumbHashToDataURL } from 'thumbhash';
import { apiKey, authorization, ours, type Asset } from '../lib/api.js';
import { useCell } from '../lib/cell.js';
import { Icon } from '../lib/icons.js';

/** Twice the width of a card is enough for any screen. Pixels. */
const WANTED_WIDTH = 480;

/** The smallest picture that is large enough. */
export function pictureOf({ kind, playback, renditions = [] }: Asset): string | undefined {
  if (kind !== 'image') return playback?.poster;
  const pictures = renditions
    .filter(({ type, mime, width }) => type === 'image' && width !== undefined && /webp|jpeg|png/.test(mime))
    .sort((a, b) => a.width! - b.width! || a.bytes - b.bytes);
  const thumbnail = renditions.find(({ type }) => type === 'thumbnail');
  return (pictures.find(({ width }) => width! >= WANTED_WIDTH) ?? pictures.at(-1) ?? thumbnail)?.url;
}

function blurOf(hash: string | undefined): string | undefined {
  if (!hash) return undefined;
  try {
    return thumbHashToDataURL(Uint8Array.from(atob(hash), (letter) => letter.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

/** Where keys are on, an `<img>` can not show one: the bytes are fetched with it. */
function useSource(url: string | undefined): string | undefined {
  const key = useCell(apiKey);
  const [source, setSource] = useState<string>();
  const isOurs = url !== undefined && new URL(url, location.href).origin === location.origin;
  useEffect(() => {
    if (!key || !isOurs) return undefined;
    const over = new AbortController();
    let made: string | undefined;
    fetch(url, { headers: authorization(), signal: over.signal })
      .then(async (response) => {
        if (!response.ok) return;
        made = URL.createObjectURL(await response.blob());
        if (over.signal.aborted) URL.revokeObjectURL(made);
        else setSource(made);
      })
      // A picture that does not come leaves its placeholder.
      .catch(() => undefined);
    return () => {
      over.abort();
      if (made) URL.revokeObjectURL(made);
      setSource(undefined);
    };
  }, [key, url, isOurs]);
  return key && isOurs ? source : url;
}

const SIGNS = { video: 'film', audio: 'note', image: 'picture' } as const;

export function Thumb({ asset }: { asset: Asset }) {
  const picture = pictureOf(asset);
  const source = useSource(picture && ours(picture));
  const [shown, setShown] = useState<string>();
  const hash = asset.image?.thumbHash ?? asset.renditions?.find(({ thumbHash }) => thumbHash)?.thumbHash;
  const blur = useMemo(() => blurOf(hash), [hash]);
  return (
    <span class="thumb" data-kind={asset.kind ?? 'none'} style={blur ? { backgroundImage: `url("${blur}")` } : {}}>
      {!blur && shown === undefined && <Icon name={SIGNS[asset.kind ?? 'video']} size={28} />}
      {source && (
        <img
          src={source}
          alt=""
          decoding="async"
          data-shown={shown === source}
          onLoad={() => setShown(source)}
          onError={() => setShown(undefined)}
        />
      )}
    </span>
  );
}
