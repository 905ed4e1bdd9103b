/** Draws a component again only when one of its properties is another. */
import { Component, h, type ComponentChild, type FunctionComponent } from 'preact';

export function memo<P extends object>(View: FunctionComponent<P>): new () => Component<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const [before, after] = [this.props as Record<string, unknown>, next as Record<string, unknown>];
      return [...new Set([...Object.keys(before), ...Object.keys(after)])].some((key) => before[key] !== after[key]);
    }
    override render(): ComponentChild {
      return h(View, this.props as P);
    }
  };
}
