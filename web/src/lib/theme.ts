/** Dark or light: as the system says, until one chooses. */
import { Cell } from './cell.js';

const KEY = 'mediamill.theme';
export type Theme = 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');
const chosen = localStorage.getItem(KEY);
export const theme = new Cell<Theme>(
  chosen === 'dark' || chosen === 'light' ? chosen : system.matches ? 'dark' : 'light',
);

if (chosen) document.documentElement.dataset['theme'] = theme.value;
system.addEventListener('change', () => {
  if (!localStorage.getItem(KEY)) theme.value = system.matches ? 'dark' : 'light';
});

export function switchTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  localStorage.setItem(KEY, theme.value);
  document.documentElement.dataset['theme'] = theme.value;
}
