/** Which rows of the grid can be seen. Pure. */

/** Pixels. */
export const GAP = 16;
/** Below the picture of a card. Must be what `library.css` gives it. Pixels. */
const TEXT_HEIGHT = 58;
const NARROWEST = 208;
/** On a phone two stand side by side. */
const NARROWEST_PHONE = 150;
/** Rows above and below what is seen. */
const BEYOND = 3;

export interface Shape {
  readonly columns: number;
  readonly rowHeight: number;
}

export function shapeOf(width: number): Shape {
  const narrowest = width < 520 ? NARROWEST_PHONE : NARROWEST;
  const columns = Math.max(1, Math.floor((width + GAP) / (narrowest + GAP)));
  const card = (width - GAP * (columns - 1)) / columns;
  return { columns, rowHeight: Math.round((card * 9) / 16) + TEXT_HEIGHT + GAP };
}

/** Rows to draw. @param top how far the window has moved below the grid's upper edge */
export function rowsSeen(rows: number, rowHeight: number, top: number, height: number): { from: number; to: number } {
  const from = Math.max(0, Math.min(rows - 1, Math.floor(top / rowHeight)) - BEYOND);
  return { from, to: Math.max(from, Math.min(rows, Math.ceil((top + height) / rowHeight) + BEYOND)) };
}
