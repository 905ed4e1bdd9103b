/** The seek bar: a slider for hands and keys, with a picture of where the pointer is. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock, spoken } from '../lib/format.js';
import { parseStoryboard, tileAt, type Tile } from './storyboard.js';

interface Props {
  readonly video: HTMLVideoElement | null;
  readonly duration: number;
  readonly storyboard: string | undefined;
}

/** Pixels. */
const PREVIEW_WIDTH = 160;

export function Bar({ video, duration, storyboard }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number>();
  /** While it is dragged the slider is the finger's, not the film's. */
  const [dragged, setDragged] = useState<number>();
  const tiles = useTiles(storyboard);
  const at = dragged ?? video?.currentTime ?? 0;
  const share = (time: number): string => `${duration > 0 ? (100 * time) / duration : 0}%`;
  const point = ({ clientX }: PointerEvent): void => {
    const { left, width } = box.current!.getBoundingClientRect();
    setPointed(Math.min(1, Math.max(0, (clientX - left) / width)));
  };
  return (
    <div class="bar" ref={box} onPointerMove={point} onPointerLeave={() => setPointed(undefined)}>
      <span class="track" aria-hidden="true">
        {video && <Buffered video={video} share={share} />}
        <span class="played" style={{ width: share(at) }} />
      </span>
      <input
        type="range"
        aria-label="Position"
        aria-valuetext={`${spoken(at)} of ${spoken(duration)}`}
        min={0}
        max={duration}
        step={0.1}
        value={at}
        disabled={duration === 0}
        onInput={({ currentTarget }) => {
          setDragged(Number(currentTarget.value));
          if (video) video.currentTime = Number(currentTarget.value);
        }}
        onChange={() => setDragged(undefined)}
        onKeyDown={(event) => {
          // A tenth of a second is no step for a film.
          const by = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30 }[event.key];
          if (by === undefined || !video) return;
          event.preventDefault();
          event.stopPropagation();
          video.currentTime = Math.min(duration, Math.max(0, video.currentTime + by));
        }}
      />
      {pointed !== undefined && duration > 0 && <Preview share={pointed} duration={duration} tiles={tiles} />}
    </div>
  );
}

function Buffered({ video, share }: { video: HTMLVideoElement; share: (time: number) => string }) {
  const { buffered } = video;
  return (
    <>
      {Array.from({ length: buffered.length }, (_, i) => (
        <span
          key={i}
          class="buffered"
          style={{ left: share(buffered.start(i)), width: share(buffered.end(i) - buffered.start(i)) }}
        />
      ))}
    </>
  );
}

function Preview({ share, duration, tiles }: { share: number; duration: number; tiles: readonly Tile[] }) {
  const time = share * duration;
  const tile = tileAt(tiles, time);
  const scale = tile ? PREVIEW_WIDTH / tile.width : 1;
  return (
    <span
      class="preview"
      style={{ left: `clamp(${PREVIEW_WIDTH / 2}px, ${share * 100}%, calc(100% - ${PREVIEW_WIDTH / 2}px))` }}
    >
      {tile && (
        <span class="tile" style={{ width: `${PREVIEW_WIDTH}px`, height: `${tile.height * scale}px` }}>
          <img src={tile.sheet} alt="" style={{ transform: `scale(${scale}) translate(${-tile.x}px, ${-tile.y}px)` }} />
        </span>
      )}
      <span class="preview-time">{clock(time)}</span>
    </span>
  );
}

function useTiles(storyboard: string | undefined): readonly Tile[] {
  const [tiles, setTiles] = useState<readonly Tile[]>([]);
  useEffect(() => {
    let over = false;
    // Without it one seeks by the clock.
    if (storyboard)
      void loadStoryboard(storyboard).then(
        (found) => !over && setTiles(found),
        () => undefined,
      );
    return () => {
      over = true;
    };
  }, [storyboard]);
  return tiles;
}

async function loadStoryboard(url: string): Promise<Tile[]> {
  const response = await fetch(url);
  if (!response.ok) return [];
  // Behind a redirect to the store, sheets are beside the text as we know it, not as the store signs it.
  return parseStoryboard(await response.text(), new URL(url, location.href).href);
}
