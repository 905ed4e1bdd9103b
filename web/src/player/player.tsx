/** The player. Loaded when something is played: hls.js is larger than the page. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useCell, Cell } from '../lib/cell.js';
import { clock } from '../lib/format.js';
import { Icon } from '../lib/icons.js';
import { Bar } from './bar.js';
import { openEngine, type Engine, type Tracks } from './engine.js';
import { press, type Keyed } from './keys.js';
import { Menu, RATES } from './menu.js';

export interface PlayerProps {
  readonly source: string;
  readonly poster?: string | undefined;
  readonly storyboard?: string | undefined;
  readonly kind: 'video' | 'audio';
  /** It is being encoded. */
  readonly growing: boolean;
  readonly title?: string | undefined;
  readonly autoplay?: boolean;
}

const NO_TRACKS = new Cell<Tracks>({ rungs: [], sounds: [], texts: [], rung: -1, sound: -1, text: -1 });
const NO_TROUBLE = new Cell<string | undefined>(undefined);
/** Without a move of the pointer. Milliseconds. */
const HIDE_MS = 2_600;

/** Draws anew on what the element says of itself. */
function useElement(video: HTMLVideoElement | null): void {
  const [, redraw] = useState(0);
  useEffect(() => {
    if (!video) return undefined;
    const again = (): void => redraw((count) => count + 1);
    const events = [
      'play',
      'pause',
      'ended',
      'timeupdate',
      'seeking',
      'seeked',
      'progress',
      'waiting',
      'playing',
      'volumechange',
      'ratechange',
      'durationchange',
      'loadeddata',
      'enterpictureinpicture',
      'leavepictureinpicture',
    ];
    for (const name of events) video.addEventListener(name, again);
    return () => {
      for (const name of events) video.removeEventListener(name, again);
    };
  }, [video]);
}

export function Player({ source, poster, storyboard, kind, growing, title, autoplay = false }: PlayerProps) {
  const box = useRef<HTMLDivElement>(null);
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  const [engine, setEngine] = useState<Engine>();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const isIdle = useIdle(box, video);
  useElement(video);
  const tracks = useCell(engine?.tracks ?? NO_TRACKS);
  const trouble = useCell(engine?.trouble ?? NO_TROUBLE);

  useEffect(() => {
    if (!video) return undefined;
    const opened = openEngine(video, source, growing);
    setEngine(opened);
    if (autoplay) video.play().catch(() => undefined);
    return () => opened.close();
    // Whether it grows decides how it begins, and nothing afterwards.
  }, [video, source]);

  const keyed: Keyed = {
    toggle: () => void (video && (video.paused ? video.play().catch(() => undefined) : video.pause())),
    skip: (by) =>
      void (video && (video.currentTime = Math.min(video.duration || 0, Math.max(0, video.currentTime + by)))),
    jump: (share) => void (video && (video.currentTime = (video.duration || 0) * share)),
    volume: (by) => void (video && (video.volume = Math.min(1, Math.max(0, video.volume + by)))),
    mute: () => void (video && (video.muted = !video.muted)),
    full: () =>
      void (document.fullscreenElement
        ? document.exitFullscreen()
        : box.current?.requestFullscreen().catch(() => undefined)),
    texts: () => engine?.pickText(tracks.text >= 0 ? -1 : (tracks.texts[0]?.id ?? -1)),
    picture: () =>
      void (document.pictureInPictureElement
        ? document.exitPictureInPicture()
        : video?.requestPictureInPicture?.().catch(() => undefined)),
    faster: (steps) =>
      void (
        video &&
        (video.playbackRate =
          RATES[Math.min(RATES.length - 1, Math.max(0, RATES.indexOf(video.playbackRate) + steps))] ?? 1)
      ),
  };
  const begin = (): void => {
    keyed.toggle();
    // The button goes, and would take the focus with it: the keys are the player's.
    box.current?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape' && isMenuOpen) setMenuOpen(false);
    else if (!press(event, keyed)) return;
    event.preventDefault();
  };

  const paused = video?.paused ?? true;
  const duration = video && Number.isFinite(video.duration) ? video.duration : 0;
  const isWaiting = video !== null && !paused && video.readyState < 3 && !trouble;
  return (
    <div
      ref={box}
      class="player"
      data-idle={isIdle && !paused && !isMenuOpen && kind === 'video'}
      data-kind={kind}
      role="region"
      aria-label={title ? `Player: ${title}` : 'Player'}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <video
        ref={setVideo}
        playsInline
        preload="auto"
        poster={poster}
        onClick={keyed.toggle}
        onDblClick={keyed.full}
        aria-label={title ?? 'Video'}
      />
      {isWaiting && <span class="spinner" role="status" aria-label="Loading" />}
      {paused && !trouble && video && video.currentTime === 0 && kind === 'video' && (
        <button type="button" class="big-play" aria-label="Play" onClick={begin}>
          <Icon name="play" size={40} />
        </button>
      )}
      {trouble && (
        <p class="player-trouble" role="alert">
          {trouble}
        </p>
      )}
      {isMenuOpen && video && engine && <Menu video={video} engine={engine} tracks={tracks} />}
      <div class="controls">
        <Bar video={video} duration={duration} storyboard={storyboard} />
        <div class="buttons">
          <button type="button" aria-label={paused ? 'Play' : 'Pause'} onClick={keyed.toggle}>
            <Icon name={video?.ended ? 'replay' : paused ? 'play' : 'pause'} />
          </button>
          <button type="button" aria-label={video?.muted ? 'Sound on' : 'Sound off'} onClick={keyed.mute}>
            <Icon name={video?.muted || video?.volume === 0 ? 'muted' : 'sound'} />
          </button>
          <input
            class="volume"
            type="range"
            min={0}
            max={1}
            step={0.05}
            aria-label="Volume"
            value={video?.muted ? 0 : (video?.volume ?? 1)}
            onInput={({ currentTarget }) => {
              if (!video) return;
              video.muted = false;
              video.volume = Number(currentTarget.value);
            }}
          />
          <span class="clock">
            {clock(video?.currentTime ?? 0)} / {clock(duration)}
          </span>
          <span class="space" />
          {tracks.texts.length > 0 && (
            <button type="button" aria-label="Subtitles" aria-pressed={tracks.text >= 0} onClick={keyed.texts}>
              <Icon name="captions" />
            </button>
          )}
          <button type="button" class="quality" aria-expanded={isMenuOpen} onClick={() => setMenuOpen(!isMenuOpen)}>
            <span>{tracks.playing ?? ''}</span>
            <span class="unseen">Settings</span>
            <Icon name="settings" />
          </button>
          {kind === 'video' && document.pictureInPictureEnabled && (
            <button type="button" aria-label="Picture in picture" onClick={keyed.picture}>
              <Icon name="pip" />
            </button>
          )}
          {kind === 'video' && document.fullscreenEnabled && (
            <button
              type="button"
              aria-label={document.fullscreenElement ? 'Leave full screen' : 'Full screen'}
              onClick={keyed.full}
            >
              <Icon name="full" />
            </button>
          )}
        </div>
      </div>
    </div>
  );
}

/** The controls leave when nothing moves over them and nothing in them has the focus. */
function useIdle(box: { readonly current: HTMLElement | null }, video: HTMLVideoElement | null): boolean {
  const [isIdle, setIdle] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element || !video) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wake = (): void => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(!element.querySelector('.controls :focus-visible')), HIDE_MS);
    };
    const names = ['pointermove', 'pointerdown', 'keydown', 'focusin'] as const;
    for (const name of names) element.addEventListener(name, wake);
    video.addEventListener('play', wake);
    return () => {
      clearTimeout(timer);
      for (const name of names) element.removeEventListener(name, wake);
      video.removeEventListener('play', wake);
    };
  }, [video]);
  return isIdle;
}
