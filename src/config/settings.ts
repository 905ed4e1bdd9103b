/** The schema, flattened: one entry per setting. */
import { Check } from 'typebox/value';
import { ConfigSchema } from './schema.js';

/** The part of JSON Schema that settings use, with our own `env`, `secret`, `schemes`, `patternMeans`. */
interface Leaf {
  readonly type?: 'string' | 'integer' | 'number' | 'array';
  readonly anyOf?: readonly { readonly const: string }[];
  readonly items?: Leaf;
  readonly description: string;
  readonly default: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly env?: string;
  readonly secret?: boolean;
  readonly schemes?: readonly string[];
  readonly patternMeans?: string;
}

export interface Setting {
  readonly group: string;
  readonly key: string;
  /** `starter.maxOpenWorkflows` */
  readonly name: string;
  /** `STARTER_MAX_OPEN_WORKFLOWS` */
  readonly env: string;
  readonly default: unknown;
  readonly description: string;
  readonly secret: boolean;
  /** What a value must be, in words: `an integer >= 1`. */
  readonly expected: string;
  readonly check: (value: unknown) => boolean;
  /** From an environment variable's text; a text that can't be converted is returned as it is, for `check` to refuse. */
  readonly parse: (text: string) => unknown;
  readonly format: (value: unknown) => string;
}

/** `maxOpenWorkflows` -> `MAX_OPEN_WORKFLOWS`, `maxGiB` -> `MAX_GIB`. */
const upperSnake = (name: string): string =>
  name
    .replace(/([KMG])iB/g, '$1ib')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase();

function bounds(leaf: Leaf): string {
  if (leaf.minimum !== undefined) return ` >= ${leaf.minimum}`;
  if (leaf.exclusiveMinimum !== undefined) return ` > ${leaf.exclusiveMinimum}`;
  return '';
}

function expectation(leaf: Leaf): string {
  if (leaf.anyOf) return `one of ${leaf.anyOf.map((option) => option.const).join(', ')}`;
  if (leaf.type === 'integer') return `an integer${bounds(leaf)}`;
  if (leaf.type === 'number') return `a number${bounds(leaf)}`;
  if (leaf.type === 'array')
    return `a list of ${leaf.items?.patternMeans ?? 'texts'} (comma-separated in the environment)`;
  if (leaf.schemes) return `a URL that starts with ${leaf.schemes.map((scheme) => `${scheme}//`).join(' or ')}`;
  if (leaf.patternMeans) return leaf.patternMeans;
  return leaf.minLength ? 'a text that is not empty' : 'a text';
}

function isUrl(value: string, schemes: readonly string[]): boolean {
  return URL.canParse(value) && schemes.includes(new URL(value).protocol);
}

function settingOf(group: string, key: string, leaf: Leaf): Setting {
  const name = `${group}.${key}`;
  return {
    group,
    key,
    name,
    env: leaf.env ?? `${upperSnake(group)}_${upperSnake(key)}`,
    default: leaf.default,
    description: leaf.description,
    secret: leaf.secret ?? false,
    expected: expectation(leaf),
    check(value) {
      if (!Check(leaf as object, value)) return false;
      return !leaf.schemes || value === leaf.default || isUrl(value as string, leaf.schemes);
    },
    parse(text) {
      if (leaf.type === 'integer' || leaf.type === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
      if (leaf.type === 'array') return text.split(',').map((item) => item.trim());
      return text;
    },
    format: (value) => (Array.isArray(value) ? value.join(',') : String(value)),
  };
}

const groups = Object.entries(ConfigSchema.properties) as unknown as [string, { properties: Record<string, Leaf> }][];

export const SETTINGS: readonly Setting[] = groups.flatMap(([group, { properties }]) =>
  Object.entries(properties).map(([key, leaf]) => settingOf(group, key, leaf)),
);
