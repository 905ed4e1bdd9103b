import { useState } from 'preact/hooks';
import { api, nameOf, type Asset } from '../lib/api.js';
import { Icon } from '../lib/icons.js';
import { orSay } from '../lib/say.js';

interface Props {
  readonly asset: Asset;
  readonly refresh: () => Promise<void>;
}

export function Title({ asset, refresh }: Props) {
  const [draft, setDraft] = useState<string>();
  const name = nameOf(asset);
  if (draft === undefined) {
    return (
      <div class="title">
        <h1>{name}</h1>
        <button type="button" class="icon-button" aria-label="Rename" onClick={() => setDraft(name)}>
          <Icon name="pen" size={18} />
        </button>
      </div>
    );
  }
  const save = (): void => {
    const title = draft.trim();
    setDraft(undefined);
    if (title && title !== name) orSay(api.patch(asset.id, { title }).then(refresh));
  };
  return (
    <form
      class="title"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <h1 class="unseen">{name}</h1>
      <input
        aria-label="Title"
        maxLength={500}
        value={draft}
        ref={(input) => input?.focus()}
        onInput={({ currentTarget }) => setDraft(currentTarget.value)}
        onKeyDown={({ key }) => key === 'Escape' && setDraft(undefined)}
      />
      <button type="submit" class="button primary">
        Save
      </button>
    </form>
  );
}

export function Tags({ asset, refresh }: Props) {
  const [draft, setDraft] = useState<string>();
  const set = (tags: readonly string[]): void => orSay(api.patch(asset.id, { tags: [...new Set(tags)] }).then(refresh));
  return (
    <ul class="tags" aria-label="Tags">
      {asset.tags.map((tag) => (
        <li key={tag}>
          <span>{tag}</span>
          <button
            type="button"
            aria-label={`Remove tag ${tag}`}
            onClick={() => set(asset.tags.filter((other) => other !== tag))}
          >
            <Icon name="close" size={14} />
          </button>
        </li>
      ))}
      <li class="new">
        {draft === undefined ? (
          <button type="button" class="link" onClick={() => setDraft('')}>
            Add a tag
          </button>
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              setDraft(undefined);
              if (draft.trim()) set([...asset.tags, draft.trim()]);
            }}
          >
            <input
              aria-label="New tag"
              maxLength={100}
              value={draft}
              ref={(input) => input?.focus()}
              onInput={({ currentTarget }) => setDraft(currentTarget.value)}
              onKeyDown={({ key }) => key === 'Escape' && setDraft(undefined)}
            />
          </form>
        )}
      </li>
    </ul>
  );
}
