/** Keys that people know from other players. */

export interface Keyed {
  readonly toggle: () => void;
  /** Seconds, relative. */
  readonly skip: (by: number) => void;
  /** 0-1 of the whole. */
  readonly jump: (share: number) => void;
  readonly volume: (by: number) => void;
  readonly mute: () => void;
  readonly full: () => void;
  readonly texts: () => void;
  readonly picture: () => void;
  readonly faster: (steps: number) => void;
}

/** @returns whether the key meant something */
export function press({ key, target }: KeyboardEvent, player: Keyed): boolean {
  const isButton = target instanceof Element && target.closest('button, select, a');
  // A button is pressed by these, a list is opened.
  if (isButton && [' ', 'Enter', 'ArrowUp', 'ArrowDown'].includes(key)) return false;
  if (target instanceof HTMLSelectElement) return false;
  const isSlider = target instanceof HTMLInputElement;
  const actions: Readonly<Record<string, () => void>> = {
    ' ': () => player.toggle(),
    k: () => player.toggle(),
    j: () => player.skip(-10),
    l: () => player.skip(10),
    m: () => player.mute(),
    f: () => player.full(),
    c: () => player.texts(),
    i: () => player.picture(),
    '>': () => player.faster(1),
    '<': () => player.faster(-1),
    // A slider has these for itself.
    ...(!isSlider && {
      ArrowLeft: () => player.skip(-5),
      ArrowRight: () => player.skip(5),
      ArrowUp: () => player.volume(0.05),
      ArrowDown: () => player.volume(-0.05),
      Home: () => player.jump(0),
      End: () => player.jump(1),
    }),
  };
  const action = actions[key.length === 1 ? key.toLowerCase() : key] ?? digit(key, player);
  action?.();
  return action !== undefined;
}

const digit = (key: string, player: Keyed): (() => void) | undefined =>
  /^\d$/.test(key) ? () => player.jump(Number(key) / 10) : undefined;
