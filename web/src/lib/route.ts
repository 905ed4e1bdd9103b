/** Where in the page one is: `/` is the library, `/assets/{id}` one asset. */
import { Cell } from './cell.js';

export type Route = { readonly view: 'library' } | { readonly view: 'asset'; readonly id: string };

export const route = new Cell<Route>(routeOf(location.pathname));

function routeOf(path: string): Route {
  const id = /^\/assets\/([0-9a-f]{24})$/.exec(path)?.[1];
  return id === undefined ? { view: 'library' } : { view: 'asset', id };
}

export function go(path: string): void {
  if (path !== location.pathname) history.pushState(null, '', path);
  route.value = routeOf(path);
}

/** Ordinary clicks on links of the page do not load it anew; all others are the browser's. */
export function followLinks(): void {
  addEventListener('popstate', () => (route.value = routeOf(location.pathname)));
  document.addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || !/^\/(assets\/[0-9a-f]{24})?$/.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname);
  });
}
