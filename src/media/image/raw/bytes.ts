/** Random access to a file of unknown content: as many of the bytes as there are. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

/** A place in a file, bytes. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** Whether a file reaches so far. Lengths come from the file itself: nothing is allocated by them before this. */
export async function holds(read: ReadAt, { offset, length }: Piece): Promise<boolean> {
  return length > 0 && (await read(offset + length - 1, 1)).length === 1;
}

/** The same bytes with another start. */
export function from(read: ReadAt, base: number): ReadAt {
  return (offset, length) => read(base + offset, length);
}
