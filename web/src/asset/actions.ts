/** What can be done to an asset. */
import { api, nameOf, type Asset } from '../lib/api.js';
import { go } from '../lib/route.js';
import { orSay, say } from '../lib/say.js';
import { heard, hidden } from '../library/model.js';

/** So long one may think better of it. Milliseconds. */
const UNDO_MS = 7_000;
const leaving = new Map<string, () => void>();

const withHidden = (change: (ids: Set<string>) => void): void => {
  const ids = new Set(hidden.value);
  change(ids);
  hidden.value = ids;
};

/** Out of sight at once, gone when nobody took it back; also when the page is closed meanwhile. */
export function removeWithUndo(asset: Asset): void {
  const { id } = asset;
  withHidden((ids) => ids.add(id));
  go('/');
  const comeBack = (): void => withHidden((ids) => ids.delete(id));
  const finish = (): void => {
    clearTimeout(timer);
    leaving.delete(id);
    close();
    orSay(
      api.remove(id).then(
        () => {
          heard({ ...asset, state: 'deleted' });
          comeBack();
        },
        (error: unknown) => {
          comeBack();
          throw error;
        },
      ),
    );
  };
  const timer = setTimeout(finish, UNDO_MS);
  const undo = (): void => {
    clearTimeout(timer);
    leaving.delete(id);
    close();
    comeBack();
  };
  const close = say(`${nameOf(asset)} was deleted.`, { label: 'Undo', run: undo }, UNDO_MS);
  leaving.set(id, finish);
}

addEventListener('pagehide', () => {
  for (const finish of leaving.values()) finish();
});

/** Asks for the asset again, as it has become. */
type Refresh = () => Promise<void>;

export const cancel = (id: string, refresh: Refresh): void =>
  orSay(
    api.cancel(id).then(() => {
      say('Cancelled. What was begun is taken back.');
      return refresh();
    }),
  );

export const reprocess = ({ id, playable }: Asset, refresh: Refresh): void =>
  orSay(
    api.reprocess(id).then(() => {
      say(`Processing begins anew.${playable ? ' Until it is done, what there is plays on.' : ''}`);
      return refresh();
    }),
  );

export const repair = (id: string): void =>
  orSay(api.reprocess(id, []).then(() => say('What is missing or at fault is made again.')));

export function copy(text: string): void {
  orSay(navigator.clipboard.writeText(text).then(() => say('Copied.')));
}
