/** Drawn on a grid of 24, in the colour of the text. Never the only name of a thing. */
const PATHS = {
  play: 'M8 5.5v13l11-6.5z',
  pause: 'M8 5v14M16 5v14',
  replay: 'M4 12a8 8 0 1 0 2.6-5.9M4 4v5h5',
  upload: 'M12 16V4m0 0L7 9m5-5 5 5M5 20h14',
  download: 'M12 4v12m0 0 5-5m-5 5-5-5M5 20h14',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zm4.7-1.8L20 20',
  close: 'M6 6l12 12M18 6 6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  alert: 'M12 8v5m0 3.2v.1M12 3.5 2.8 19.5h18.4z',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2m0 15v2M2.5 12h2m15 0h2M5.3 5.3l1.4 1.4m10.6 10.6 1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  folder: 'M3.5 6.5h6l2 2.5h9v10h-17z',
  sound: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
  muted: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5m0-5-5 5',
  captions: 'M3.5 6h17v12h-17zM10.5 10.7a2 2 0 1 0 0 2.6m6.5-2.6a2 2 0 1 0 0 2.6',
  settings:
    'M4 7h9m5 0h2M4 17h2m5 0h9M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zm-7 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
  pip: 'M3.5 5.5h17v13h-17zM12 12.5h6v4h-6z',
  full: 'M4 9V4h5M20 9V4h-5M4 15v5h5m11-5v5h-5',
  film: 'M4 4.5h16v15H4zM8 4.5v15m8-15v15M4 9.5h4m8 0h4m-16 5h4m8 0h4',
  picture: 'M4 4.5h16v15H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9.5v.1',
  note: 'M9 17.5v-12l10-2v12M9 17.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zm10-2a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z',
  trash: 'M4.5 6.5h15M9.5 6V4h5v2M6.5 6.5l1 13h9l1-13M10 10.5v5.5m4-5.5V16',
  back: 'M14.5 5.5 8 12l6.5 6.5',
  copy: 'M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4',
  outside: 'M13.5 4.5h6v6m0-6L11 13M9 5.5H4.5v14h14V15',
  chevron: 'M6 9.5l6 6 6-6',
  pen: 'M4.5 19.5l1-4.5L16 4.5l3.5 3.5L9 18.5z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      data-solid={name === 'play' ? '' : undefined}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
