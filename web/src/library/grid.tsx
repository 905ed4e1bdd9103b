/** Draws only the rows that can be seen: ten thousand assets are as smooth as ten. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Asset } from '../lib/api.js';
import { Card } from './card.js';
import { GAP, rowsSeen, shapeOf, type Shape } from './rows.js';

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
