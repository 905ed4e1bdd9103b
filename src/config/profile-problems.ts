/** What is wrong with a profile, in words that name the field. */
import { Check } from 'typebox/value';
import { ProfileSchema, type Profile } from '../contracts/profile.js';
import { nearest } from './suggest.js';

/** The part of JSON Schema that profiles use. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly const?: string | number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
}

export function problemsOf(profile: unknown): string[] {
  const found = problems(ProfileSchema, profile, '');
  return found.length > 0 ? found : namesTaken(profile as Profile);
}

/** What `planImage` calls its own files. */
const OWN_NAMES = /^(thumb|animation|loop|w\d+)$/;

function namesTaken({ image: { sizes } }: Profile): string[] {
  const names = sizes.map(({ name }) => name);
  return names.flatMap((name, index) =>
    OWN_NAMES.test(name) || names.indexOf(name) < index
      ? [`image.sizes[${index}].name: there is another picture called ${name}`]
      : [],
  );
}

/** @param node of a value with fields */
export const problemsIn = (node: object, value: unknown): string[] => problems(node, value, '');

function problems(node: SchemaNode, value: unknown, at: string): string[] {
  const fields = node.properties ? node : node.anyOf?.find(({ properties }) => properties);
  if (fields && isFields(value)) return fieldProblems(fields, value, at);
  if (node.items && Array.isArray(value) && value.length <= (node.maxItems ?? Infinity)) {
    const found = value.flatMap((item, index) => problems(node.items!, item, `${at}[${index}]`));
    if (found.length > 0) return found;
  }
  if (Check(node as object, value)) return [];
  return [`expected ${expectation(node)} for ${at} but received ${JSON.stringify(value) ?? 'nothing'}`];
}

function fieldProblems({ properties = {}, required = [] }: SchemaNode, value: Fields, at: string): string[] {
  const path = (key: string): string => (at === '' ? key : `${at}.${key}`);
  const known = Object.keys(properties);
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  return [
    ...unknown.map((key) => {
      const close = nearest(key, known);
      return `unknown field ${path(key)}${close ? `, did you mean ${close}?` : ''}`;
    }),
    ...required.filter((key) => value[key] === undefined).map((key) => `${path(key)} is missing`),
    ...known
      .filter((key) => value[key] !== undefined)
      .flatMap((key) => problems(properties[key]!, value[key], path(key))),
  ];
}

/** `an integer from 1 to 51`, `off or fields`: also for the documentation. */
export function expectation(node: SchemaNode): string {
  if (node.anyOf) return node.anyOf.map(expectation).join(' or ');
  if (node.const !== undefined) return String(node.const);
  if (node.properties) return 'fields';
  if (node.type === 'array') {
    const count = node.minItems === undefined ? `at most ${node.maxItems}` : `${node.minItems} to ${node.maxItems}`;
    return `a list of ${count}${node.uniqueItems ? ', each once' : ''}`;
  }
  if (node.type === 'boolean') return 'true or false';
  if (node.type === 'string') return 'a text';
  const upTo = node.maximum === undefined ? ` >= ${node.minimum}` : ` from ${node.minimum} to ${node.maximum}`;
  return (node.type === 'integer' ? 'an integer' : 'a number') + upTo;
}

type Fields = Readonly<Record<string, unknown>>;
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
