/** What a picture's sample entry says of its codec, as manifests write it (RFC 6381). */
import { descend, type Box } from './boxes.js';

/** Bytes of a VisualSampleEntry before its child boxes (14496-12, 12.1.3). */
const VISUAL_ENTRY = 78;

type Reader = (config: Buffer) => string;

const hex = (bytes: Buffer): string => bytes.toString('hex');
const two = (value: number): string => String(value).padStart(2, '0');

/** Sample entry -> the box with its decoder configuration, and how to read that. */
const PICTURES: Readonly<Record<string, readonly [box: string, read: Reader]>> = {
  // 14496-15, 5.3.3.1: profile, constraints, level.
  avc1: ['avcC', (config) => `avc1.${hex(config.subarray(1, 4))}`],
  hvc1: ['hvcC', hevc],
  // AV1 in ISOBMFF, 2.3.3: three bits of profile, five of level; then tier, and two bits for the depth.
  av01: [
    'av1C',
    (config) => {
      const depth = config[2]! & 0x40 ? (config[2]! & 0x20 ? 12 : 10) : 8;
      return `av01.${config[1]! >> 5}.${two(config[1]! & 0x1f)}${config[2]! & 0x80 ? 'H' : 'M'}.${two(depth)}`;
    },
  ],
  // A full box: version and flags come first.
  vp09: ['vpcC', (config) => `vp09.${two(config[4]!)}.${two(config[5]!)}.${two(config[6]! >> 4)}`],
};

/** 14496-15, E.3: compatibility flags in reverse bit order, constraint bytes without the zeros at their end. */
function hevc(config: Buffer): string {
  const space = ['', 'A', 'B', 'C'][config[1]! >> 6]!;
  const tier = config[1]! & 0x20 ? 'H' : 'L';
  const flags = [...config.readUInt32BE(2).toString(2).padStart(32, '0')].reverse().join('');
  const compatible = Number.parseInt(flags, 2).toString(16).toUpperCase();
  const constraints = [...config.subarray(6, 12)];
  while (constraints.at(-1) === 0) constraints.pop();
  const rest = constraints.map((byte) => `.${byte.toString(16).toUpperCase()}`).join('');
  return `hvc1.${space}${config[1]! & 0x1f}.${compatible}.${tier}${config[12]!}${rest}`;
}

/**
 * Undefined for anything that is no picture in one of the codecs that we write.
 * @throws RangeError when the entry ends too early
 */
export function pictureCodecs(bytes: Buffer, entry: Box): string | undefined {
  const picture = Object.hasOwn(PICTURES, entry.type) ? PICTURES[entry.type] : undefined;
  if (!picture) return undefined;
  const [name, read] = picture;
  const [config] = descend(bytes, [name], { ...entry, body: entry.body + VISUAL_ENTRY });
  if (!config || config.end - config.body < 4) throw new RangeError(`No box ${name}.`);
  return read(bytes.subarray(config.body, config.end));
}
