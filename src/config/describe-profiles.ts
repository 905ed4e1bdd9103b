/** What is derived from the profiles' schema and the shipped profiles for people and editors. */
import { ProfileSchema, type ImageSpec, type Profile, type RungSpec } from '../contracts/profile.js';
import { expectation, type SchemaNode } from './profile-problems.js';
import { loadProfiles } from './profiles.js';

const EXTENDS = 'Another profile of which this one takes all that it does not name. Lists are replaced as a whole.';

/** `profiles/schema.json`, for editors: a file that extends another one may leave out anything. */
export function profileJsonSchema(): string {
  const { properties, required } = ProfileSchema as unknown as Required<Pick<SchemaNode, 'properties' | 'required'>>;
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Mediamill profile',
    type: 'object',
    properties: { extends: { type: 'string', description: EXTENDS }, ...mapValues(properties, withoutRequired) },
    additionalProperties: false,
    anyOf: [{ required: ['extends'] }, { required }],
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** Groups may be incomplete, they are merged; items of a list may not. */
function withoutRequired(node: SchemaNode): SchemaNode {
  const { required: _, ...rest } = node;
  if (node.properties) return { ...rest, properties: mapValues(node.properties, withoutRequired) };
  return node.anyOf ? { ...node, anyOf: node.anyOf.map(withoutRequired) } : node;
}

const mapValues = <T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Every field with what it may be. */
export function profileFieldsTable(): string {
  const rows = (node: SchemaNode, at: string): string[][] =>
    Object.entries(node.properties ?? {}).flatMap(([key, field]) => {
      const name = at + key;
      const below = [field, field.items, ...(field.anyOf ?? [])].find((candidate) => candidate?.properties);
      const nested = below ? rows(below, `${name}${field.items ? '[]' : ''}.`) : [];
      return [[`\`${name}\``, expectation(field), field.description ?? ''], ...nested];
    });
  return table(['Field', 'Is', 'Meaning'], [['`extends`', 'a text', EXTENDS], ...rows(ProfileSchema, '')]);
}

const rung = ({ size, codec, crf, capKbps, preset }: RungSpec, presets: Profile['presets']): string =>
  `${size === 'source' ? size : `${size}p`} ${codec} CRF ${crf} ≤ ${capKbps} (${preset ?? presets[codec]})`;

function pictures({ widths, sizes, formats, animation, colours, keepCopyright }: ImageSpec): string {
  const moving = [...(animation.webp ? ['WebP'] : []), ...animation.loops.map((loop) => loop.toUpperCase())];
  return [
    `${widths.join(', ')} wide, ${formats.map((format) => format.toUpperCase()).join(', ')}`,
    ...sizes.map(({ name, width, height, fit, position }) =>
      [`\`${name}\` ${width}x${height}`, fit, position].filter(Boolean).join(' '),
    ),
    ...(moving.length > 0 ? [`animations up to ${animation.maxWidth} wide as ${moving.join(', ')}`] : []),
    ...(colours === 'p3' ? ['wide colours kept'] : []),
    ...(keepCopyright ? ['copyright kept'] : []),
  ].join('<br>');
}

/** The shipped profiles side by side. */
export function shippedProfilesTable(): string {
  const profiles = loadProfiles('');
  const rows = profiles.names.map((name) => {
    const { description, rungs, presets, audio, image } = profiles.get(name);
    const { bitrateKbps, surround, surroundKbps, loudness } = audio;
    const sound = [
      `AAC ${bitrateKbps}`,
      ...(surround ? [`5.1 at ${surroundKbps}`] : []),
      loudness === 'off' ? 'own level' : `${loudness.target} LUFS`,
    ];
    return [
      `\`${name}\``,
      description,
      rungs.map((spec) => rung(spec, presets)).join('<br>') || 'none',
      sound.join(', '),
      pictures(image),
    ];
  });
  return table(['Profile', 'What for', 'Rungs, kbit/s', 'Sound', 'Images'], rows);
}
