/** Draws only the rows that can be seen: ten thousand assets are as smooth as ten. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Asset } from '../lib/api.js';
import { Card } from './card.js';

const GAP = 16;
/** Below the picture of a card. Must be what `library.css` gives it. Pixels. */
const TEXT_HEIGHT = 58;
const NARROWEST = 208;
/** On a phone two stand side by side. */
const NARROWEST_PHONE = 150;
/** Rows above and below what is seen. */
const BEYOND = 3;

interface Shape {
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

export function Grid({ items, onEnd }: { items: readonly Asset[]; onEnd: () => void }) {
  const list = useRef<HTMLUListElement>(null);
  const [shape, setShape] = useState<Shape>(() => shapeOf(Math.min(innerWidth, 1440) - 48));
  const [seen, setSeen] = useState({ from: 0, to: 12 });
  const rows = Math.ceil(items.length / shape.columns);

  useLayoutEffect(() => {
    const element = list.current!;
    const look = (): void => {
      const top = Math.max(0, -element.getBoundingClientRect().top);
      const next = rowsSeen(rows, shape.rowHeight, top, innerHeight);
      setSeen((now) => (now.from === next.from && now.to === next.to ? now : next));
      if (next.to >= rows - 1) onEnd();
    };
    look();
    addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(() => {
      const next = shapeOf(element.clientWidth);
      setShape((now) => (now.columns === next.columns && now.rowHeight === next.rowHeight ? now : next));
      look();
    });
    observer.observe(element);
    return () => {
      removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, [rows, shape, onEnd]);

  const from = Math.min(seen.from, rows);
  const to = Math.min(seen.to, rows);
  return (
    <ul
      class="grid"
      ref={list}
      aria-label="Assets"
      style={{
        gridTemplateColumns: `repeat(${shape.columns}, minmax(0, 1fr))`,
        gridAutoRows: `${shape.rowHeight - GAP}px`,
        paddingTop: `${from * shape.rowHeight}px`,
        paddingBottom: `${(rows - to) * shape.rowHeight}px`,
      }}
    >
      {items.slice(from * shape.columns, to * shape.columns).map((asset, i) => (
        <li key={asset.id} aria-setsize={-1} aria-posinset={from * shape.columns + i + 1}>
          <Card asset={asset} />
        </li>
      ))}
    </ul>
  );
}
