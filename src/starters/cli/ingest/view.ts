/** What people see of an ingest while it runs. */
import { plain } from '../format.js';

export interface Picture {
  readonly queue: number;
  readonly encoding: number;
  readonly encoders: number;
  readonly publishing: number;
  readonly published: number;
  readonly failed: number;
  readonly atRisk: number;
}

/** On a log, so often at most; on a terminal, as often as it is called. Milliseconds. */
const LOG_EVERY = 5_000;

export const describePicture = (picture: Picture): string =>
  [
    `queue ${picture.queue}`,
    `encoding ${picture.encoding} of ${picture.encoders}`,
    `publishing ${picture.publishing}`,
    `published ${picture.published}`,
    `failed ${picture.failed}`,
    `at risk ${picture.atRisk}`,
  ].join('   ');

/** One line that changes in its place on a terminal; elsewhere a line now and then. */
export class View {
  private shown = '';
  private shownAt = -Infinity;

  constructor(private readonly out: NodeJS.WriteStream) {}

  show(picture: Picture): void {
    const text = describePicture(picture);
    if (text === this.shown) return;
    if (this.out.isTTY) this.out.write(`\r\u001b[2K${text.slice(0, (this.out.columns || 120) - 1)}`);
    else if (Date.now() - this.shownAt < LOG_EVERY) return;
    else this.out.write(`${text}\n`);
    this.shown = text;
    this.shownAt = Date.now();
  }

  /** A line that stays. */
  say(text: string): void {
    if (this.out.isTTY) this.out.write('\r\u001b[2K');
    this.out.write(`${plain(text)}\n`);
    this.shown = '';
  }
}
