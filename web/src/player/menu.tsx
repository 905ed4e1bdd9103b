import type { Choice, Engine, Tracks } from './engine.js';

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2];

interface Props {
  readonly video: HTMLVideoElement;
  readonly engine: Engine;
  readonly tracks: Tracks;
}

/** Lists of the browser: they work with everything that people use. */
export function Menu({ video, engine, tracks }: Props) {
  const { rungs, sounds, texts } = tracks;
  return (
    <div class="menu">
      {rungs.length > 1 && (
        <Pick
          name="Quality"
          value={tracks.rung}
          choices={[
            { id: -1, name: tracks.rung === -1 && tracks.playing ? `Auto (${tracks.playing})` : 'Auto' },
            ...rungs,
          ]}
          onPick={(id) => engine.pickRung(id)}
        />
      )}
      {sounds.length > 1 && (
        <Pick name="Sound" value={tracks.sound} choices={sounds} onPick={(id) => engine.pickSound(id)} />
      )}
      {texts.length > 0 && (
        <Pick
          name="Subtitles"
          value={tracks.text}
          choices={[{ id: -1, name: 'Off' }, ...texts]}
          onPick={(id) => engine.pickText(id)}
        />
      )}
      <Pick
        name="Speed"
        value={video.playbackRate}
        choices={RATES.map((rate) => ({ id: rate, name: rate === 1 ? 'Normal' : `${rate}×` }))}
        onPick={(rate) => (video.playbackRate = rate)}
      />
    </div>
  );
}

interface PickProps {
  readonly name: string;
  readonly value: number;
  readonly choices: readonly Choice[];
  readonly onPick: (id: number) => void;
}

function Pick({ name, value, choices, onPick }: PickProps) {
  return (
    <label>
      <span>{name}</span>
      <select value={String(value)} onChange={({ currentTarget }) => onPick(Number(currentTarget.value))}>
        {choices.map(({ id, name: text }) => (
          <option key={id} value={String(id)}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
