/** One line per file: rewritten in place on a terminal, printed when it changes notably elsewhere. */
import { plain } from './format.js';

export class Lines {
  private readonly names: string[] = [];
  private readonly texts: string[] = [];
  private drawn = 0;

  constructor(private readonly out: NodeJS.WriteStream) {}

  set(name: string, index: number, line: string): void {
    const text = plain(line);
    const before = this.texts[index];
    this.names[index] = plain(name);
    this.texts[index] = text;
    if (this.out.isTTY) this.redraw();
    else if (before === undefined || coarse(before) !== coarse(text)) this.out.write(`${this.names[index]}  ${text}\n`);
  }

  /** A line that stays, above those that change. */
  add(text: string): void {
    if (this.drawn > 0) this.out.write(`\u001b[${this.drawn}A\u001b[J`);
    this.drawn = 0;
    this.out.write(`${plain(text)}\n`);
    if (this.out.isTTY) this.redraw();
  }

  private redraw(): void {
    const width = Math.max(...this.names.map((name) => name?.length ?? 0));
    const columns = this.out.columns || 120;
    if (this.drawn > 0) this.out.write(`\u001b[${this.drawn}A`);
    for (const [i, text] of this.texts.entries()) {
      this.out.write(`\u001b[2K${`${(this.names[i] ?? '').padEnd(width)}  ${text ?? ''}`.slice(0, columns - 1)}\n`);
    }
    this.drawn = this.texts.length;
  }
}

/** A log gets a line per stage and per tenth, not one per second. */
function coarse(text: string): string {
  const percent = /(\d+) %/.exec(text)?.[1];
  return percent === undefined ? text : `${text.split(' ')[0]} ${Math.floor(Number(percent) / 10)}`;
}
