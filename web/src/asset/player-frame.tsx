/** The place of the player: it is loaded when there is something to play. */
import { useEffect, useState } from 'preact/hooks';
import { api, apiKey, ours, type Asset } from '../lib/api.js';
import { useCell } from '../lib/cell.js';
import type { PlayerProps } from '../player/player.js';

type PlayerView = (props: PlayerProps) => preact.JSX.Element;

export function usePlayerCode(): PlayerView | undefined {
  const [view, setView] = useState<{ readonly Player: PlayerView }>();
  useEffect(() => {
    void import('../player/player.js').then(({ Player }) => setView({ Player }));
  }, []);
  return view?.Player;
}

export function PlayerFrame({ asset }: { asset: Asset }) {
  const hls = asset.playback?.hls;
  // The failure beside it says why.
  if (asset.error && !asset.playable) return null;
  const width = asset.renditions?.find(({ type }) => type === 'video');
  const shape =
    asset.kind === 'audio' ? '4 / 1' : width?.width && width.height ? `${width.width} / ${width.height}` : '16 / 9';
  return (
    <div class={`screen ${asset.kind}`} style={{ aspectRatio: shape }}>
      {hls && asset.playable ? (
        // What is published after it was watched growing is the same stream: it plays on.
        <Playing key={asset.generation > 1 ? asset.generation : 1} asset={asset} hls={hls} />
      ) : (
        <p class="hint">{isHeldBack(asset) ? 'It is held back until its time.' : 'It can be watched in a moment…'}</p>
      )}
    </div>
  );
}

const isHeldBack = ({ deadline }: Asset): boolean => Date.parse(deadline?.notBefore ?? '') > Date.now();

function Playing({ asset, hls }: { asset: Asset; hls: string }) {
  const Player = usePlayerCode();
  const key = useCell(apiKey);
  const [token, setToken] = useState<string | undefined>();
  const [first] = useState(hls);
  useEffect(() => {
    if (key)
      void api.token(asset.id).then(
        ({ token: made }) => setToken(made),
        () => setToken(''),
      );
  }, [key, asset.id]);
  if (!Player || (key && token === undefined)) return null;
  const signed = (url: string | undefined): string | undefined =>
    url && (token ? `${ours(url)}${url.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}` : ours(url));
  return (
    <Player
      source={signed(first)!}
      poster={signed(asset.playback?.poster)}
      storyboard={signed(asset.playback?.storyboard)}
      kind={asset.kind === 'audio' ? 'audio' : 'video'}
      growing={asset.generation === 0}
      title={asset.title || asset.fileName || undefined}
    />
  );
}
