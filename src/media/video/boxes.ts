/** ISO base media boxes (ISO/IEC 14496-12), as far as fragments need them. */

export interface Box {
  readonly type: string;
  /** Offset of the box, of its payload and of its end, within the buffer. */
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** @throws RangeError when a box runs past its parent. */
export function boxesIn(bytes: Buffer, from = 0, to = bytes.length): Box[] {
  const boxes: Box[] = [];
  for (let start = from; start < to;) {
    const wide = bytes.readUInt32BE(start) === 1;
    const size = wide ? Number(bytes.readBigUInt64BE(start + 8)) : bytes.readUInt32BE(start) || to - start;
    const body = start + (wide ? 16 : 8);
    if (start + size > to || body > start + size) throw new RangeError('A box runs past its parent.');
    boxes.push({ type: bytes.toString('latin1', start + 4, start + 8), start, body, end: start + size });
    start += size;
  }
  return boxes;
}

/** All boxes at a path below `from`..`to`: `descend(b, ['moof', 'traf', 'trun'])`. */
export function descend(bytes: Buffer, path: readonly string[], parent?: Box): Box[] {
  const [type, ...rest] = path;
  const here = boxesIn(bytes, parent?.body, parent?.end).filter((box) => box.type === type);
  return rest.length === 0 ? here : here.flatMap((box) => descend(bytes, rest, box));
}

/** @throws RangeError when there is none. */
export function only(bytes: Buffer, path: readonly string[], parent?: Box): Box {
  const [box] = descend(bytes, path, parent);
  if (!box) throw new RangeError(`No box ${path.join('/')}.`);
  return box;
}
