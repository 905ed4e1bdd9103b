/** `/embed/{id}`: the player alone, for pages of others. What it may show, the token in its address says. */
import { render } from 'preact';
import { Player } from './player/player.js';

const id = /^\/embed\/([0-9a-f]{24})$/.exec(location.pathname)?.[1];
const params = new URLSearchParams(location.search);
const token = params.get('token');
const signed = (file: string): string =>
  `/v1/assets/${id}/play/${file}${token ? `?token=${encodeURIComponent(token)}` : ''}`;

function Embed() {
  if (!id) return <p class="player-trouble">This address is not complete.</p>;
  return (
    <Player
      source={signed('master.m3u8')}
      poster={signed('images/poster.jpg')}
      storyboard={signed('storyboard/storyboard.vtt')}
      kind="video"
      growing={false}
      autoplay={params.has('autoplay')}
    />
  );
}

render(<Embed />, document.getElementById('player')!);
