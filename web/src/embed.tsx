/** `/embed/{id}`: the player alone, for pages of others. What it may show, the token in its address says. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Player } from './player/player.js';

const id = /^\/embed\/([0-9a-f]{24})$/.exec(location.pathname)?.[1];
const params = new URLSearchParams(location.search);
const token = params.get('token');
const signed = (file: string): string =>
  `/v1/assets/${id}/play/${file}${token ? `?token=${encodeURIComponent(token)}` : ''}`;

/** Extras of a player: there once it is published. */
function useThere(url: string): string | undefined {
  const [there, setThere] = useState(false);
  useEffect(() => {
    void fetch(url, { method: 'HEAD', redirect: 'manual' }).then(
      ({ ok, type }) => setThere(ok || type === 'opaqueredirect'),
      () => undefined,
    );
  }, [url]);
  return there ? url : undefined;
}

function Embed() {
  const poster = useThere(signed('poster.jpg'));
  const storyboard = useThere(signed('storyboard/storyboard.vtt'));
  if (!id) return <p class="player-trouble">This address is not complete.</p>;
  return (
    <Player
      source={signed('master.m3u8')}
      poster={poster}
      storyboard={storyboard}
      kind="video"
      growing={false}
      autoplay={params.has('autoplay')}
    />
  );
}

render(<Embed />, document.getElementById('player')!);
