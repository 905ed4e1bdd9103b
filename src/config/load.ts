/** Defaults <- YAML files <- environment <- overrides, checked as a whole. */
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ConfigError } from './config-error.js';
import { crossCheck } from './rules.js';
import type { Config } from './schema.js';
import { SETTINGS, type Setting } from './settings.js';
import { nearest } from './suggest.js';

export type ConfigOverrides = { readonly [G in keyof Config]?: Partial<Config[G]> };

export interface LoadOptions {
  /** YAML files, later ones win; all must exist. Default: MEDIAMILL_CONFIG, else config/default.yaml and config/local.yaml where present. */
  readonly files?: readonly string[];
  /** Default: `process.env`. An empty variable is an unset one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly overrides?: ConfigOverrides;
}

interface Layer {
  /** Where it came from, for messages; empty for the environment. */
  readonly origin: string;
  readonly value: unknown;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function filesOf(options: LoadOptions, env: NonNullable<LoadOptions['env']>): string[] {
  if (options.files) return [...options.files];
  // Set but empty means "no files": that is how a parent process hands its whole configuration to a child.
  if (env.MEDIAMILL_CONFIG !== undefined) {
    return env.MEDIAMILL_CONFIG.split(',')
      .map((file) => file.trim())
      .filter(Boolean);
  }
  return ['config/default.yaml', 'config/local.yaml'].filter((file) => existsSync(file));
}

function readYaml(file: string, mistakes: string[]): Layer {
  try {
    return { origin: ` in ${file}`, value: parse(readFileSync(file, 'utf8')) };
  } catch (error) {
    mistakes.push(`Can not read ${file}: ${(error as Error).message.split('\n', 1)[0]}`);
    return { origin: ` in ${file}`, value: null };
  }
}

/** The environment as a layer of the same shape as a YAML file. */
function environmentLayer(env: NonNullable<LoadOptions['env']>): Layer {
  const value: Record<string, Record<string, unknown>> = {};
  for (const setting of SETTINGS) {
    const text = env[setting.env];
    if (text !== undefined && text !== '') (value[setting.group] ??= {})[setting.key] = setting.parse(text);
  }
  return { origin: '', value };
}

function unknown(name: string, known: readonly string[], origin: string): string {
  const suggestion = nearest(name, known);
  return `Unknown setting ${name}${origin}${suggestion ? `, did you mean ${suggestion}?` : ''}`;
}

const GROUPS = [...new Set(SETTINGS.map((setting) => setting.group))];
const BY_NAME = new Map(SETTINGS.map((setting) => [setting.name, setting]));

function* entriesOf(layer: Layer, mistakes: string[]): Generator<[Setting, unknown]> {
  // An empty file, an empty group and a key without a value say nothing: they are not mistakes.
  if (layer.value === null || layer.value === undefined) return;
  if (!isRecord(layer.value)) {
    mistakes.push(`Expected groups of settings${layer.origin} but received ${show(layer.value)}`);
    return;
  }
  for (const [group, values] of Object.entries(layer.value)) {
    if (!GROUPS.includes(group)) {
      mistakes.push(unknown(group, GROUPS, layer.origin));
    } else if (isRecord(values)) {
      for (const [key, value] of Object.entries(values)) {
        const setting = BY_NAME.get(`${group}.${key}`);
        if (!setting) mistakes.push(unknown(`${group}.${key}`, [...BY_NAME.keys()], layer.origin));
        else if (value !== null && value !== undefined) yield [setting, value];
      }
    } else if (values !== null && values !== undefined) {
      mistakes.push(`Expected settings below ${group}${layer.origin} but received ${show(values)}`);
    }
  }
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value);

/** @throws ConfigError with every mistake at once. */
export function loadConfig(options: LoadOptions = {}): Config {
  const env = options.env ?? process.env;
  const mistakes: string[] = [];
  const layers: Layer[] = [
    ...filesOf(options, env).map((file) => readYaml(file, mistakes)),
    environmentLayer(env),
    { origin: ' in the overrides', value: options.overrides },
  ];
  const config: Record<string, Record<string, unknown>> = {};
  for (const setting of SETTINGS) (config[setting.group] ??= {})[setting.key] = structuredClone(setting.default);
  for (const layer of layers) {
    for (const [setting, value] of entriesOf(layer, mistakes)) {
      if (setting.check(value)) {
        config[setting.group]![setting.key] = structuredClone(value);
      } else {
        const received = setting.secret ? 'another value (not shown, it is a secret)' : show(value);
        mistakes.push(
          `Expected ${setting.expected} for ${setting.name} (${setting.env})${layer.origin} but received ${received}`,
        );
      }
    }
  }
  mistakes.push(...crossCheck(config as unknown as Config));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config as unknown as Config;
}
