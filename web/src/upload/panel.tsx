/** What is being uploaded: a drawer at the edge of every view. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { adviceFor } from '../lib/advice.js';
import { useCell } from '../lib/cell.js';
import { bytes, plural, timeLeft } from '../lib/format.js';
import { Icon } from '../lib/icons.js';
import { chosen } from './files.js';
import { add, clearDone, items, overall, pause, remove, resume, type Item } from './model.js';

/** More are one line: nobody reads a thousand. */
const SHOWN = 100;

export function UploadPanel() {
  const all = useCell(items);
  const [isOpen, setOpen] = useState(true);
  const { open, percent, left } = overall(all);
  useEffect(() => {
    if (open === 0) return undefined;
    const warn = (event: BeforeUnloadEvent): void => {
      if (items.value.some(({ phase, size }) => phase === 'sending' && size > 256 * 1024 ** 2)) event.preventDefault();
    };
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [open > 0]);
  if (all.length === 0) return null;
  const refused = all.filter(({ phase }) => phase === 'refused').length;
  const title =
    open > 0
      ? `Uploading ${plural(open, 'file')}`
      : refused > 0
        ? `${plural(refused, 'file')} refused`
        : `${plural(all.length, 'file')} uploaded`;
  return (
    <section class="uploads" aria-label="Uploads">
      <header>
        <h2>{title}</h2>
        {open > 0 && (
          <span class="left">
            {Math.floor(percent)} %{left !== undefined && ` · ${timeLeft(left)}`}
          </span>
        )}
        <button
          type="button"
          class="icon-button"
          aria-expanded={isOpen}
          aria-label={isOpen ? 'Hide uploads' : 'Show uploads'}
          onClick={() => setOpen(!isOpen)}
        >
          <span class={isOpen ? 'chevron' : 'chevron up'}>
            <Icon name="chevron" />
          </span>
        </button>
        {open === 0 && (
          <button type="button" class="icon-button" aria-label="Close the list of uploads" onClick={clearDone}>
            <Icon name="close" />
          </button>
        )}
      </header>
      {open > 0 && <progress class="overall" max={100} value={percent} aria-label="All uploads" />}
      {isOpen && (
        <ul>
          {all.slice(-SHOWN).map((item) => (
            <Row key={item.id} item={item} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ item }: { item: Item }) {
  const { id, name, size, phase, sent, reason, code, assetId } = item;
  const percent = size > 0 ? Math.min(100, (100 * sent) / size) : 0;
  const isUnderWay = ['sending', 'paused', 'failed', 'waiting'].includes(phase);
  return (
    <li class="upload" data-phase={phase}>
      <span class="upload-name" title={name}>
        {assetId ? <a href={`/assets/${assetId}`}>{name}</a> : name}
      </span>
      <span class="upload-actions">
        <Actions item={item} />
      </span>
      <span class="upload-facts">{factsOf(item)}</span>
      {isUnderWay && <progress max={100} value={percent} aria-label={`Upload of ${name}`} />}
      {reason && (
        <span class="upload-reason">
          {reason} {phase === 'refused' && code && adviceFor(code)}
        </span>
      )}
      {phase === 'lost' && <ChooseAgain id={id} name={name} />}
    </li>
  );
}

function factsOf({ phase, size, sent, speed }: Item): string {
  switch (phase) {
    case 'checking':
    case 'waiting':
      return `Waiting · ${bytes(size)}`;
    case 'sending': {
      const parts = [`${bytes(sent)} of ${bytes(size)}`];
      if (speed) parts.push(`${bytes(speed)}/s`, timeLeft((size - sent) / speed));
      return parts.join(' · ');
    }
    case 'paused':
      return `Paused at ${bytes(sent)} of ${bytes(size)}`;
    case 'lost':
      return `Interrupted · ${bytes(size)}`;
    case 'failed':
      return `Stopped at ${bytes(sent)} of ${bytes(size)}`;
    case 'done':
      return `Uploaded · ${bytes(size)}`;
    case 'refused':
      return `Refused · ${bytes(size)}`;
  }
}

function Actions({ item: { id, name, phase } }: { item: Item }) {
  return (
    <>
      {phase === 'sending' && (
        <button type="button" class="icon-button" aria-label={`Pause ${name}`} onClick={() => pause(id)}>
          <Icon name="pause" size={18} />
        </button>
      )}
      {(phase === 'paused' || phase === 'failed') && (
        <button type="button" class="icon-button" aria-label={`Go on with ${name}`} onClick={() => resume(id)}>
          <Icon name="play" size={18} />
        </button>
      )}
      {phase === 'done' ? (
        <span class="done">
          <Icon name="check" size={18} />
        </span>
      ) : (
        <button
          type="button"
          class="icon-button"
          aria-label={phase === 'refused' ? `Remove ${name}` : `Cancel ${name}`}
          onClick={() => remove(id)}
        >
          <Icon name="close" size={18} />
        </button>
      )}
    </>
  );
}

function ChooseAgain({ id, name }: { id: string; name: string }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <span class="upload-reason">
      The page was loaded anew.{' '}
      <button type="button" class="link" onClick={() => input.current!.click()}>
        Choose {name} again
      </button>{' '}
      to go on where it stopped.
      <input
        ref={input}
        type="file"
        hidden
        aria-label={`${name}, to go on with`}
        id={`again-${id}`}
        onChange={({ currentTarget }) => add(chosen(currentTarget.files))}
      />
    </span>
  );
}
