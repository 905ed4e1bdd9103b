/** Targets from their file. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

import { TARGET_SCHEMAS, type TargetKind, type TargetSpec } from '../contracts/targets.js';
import { ConfigError } from './config-error.js';
import { isFields, problemsIn } from './profile-problems.js';
import type { Profiles } from './profiles.js';

export type Targets = ReadonlyMap<string, TargetSpec>;

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const FROM_ENVIRONMENT = /^env:(\w+)$/;

/**
 * @param path of a YAML file: names, and the fields of each. Empty: no targets
 * @param profiles which may name no others
 * @throws ConfigError with every mistake; never with a value that may be a secret
 */
export function loadTargets(path: string, profiles: Profiles, env: NodeJS.ProcessEnv = process.env): Targets {
  const mistakes: string[] = [];
  const targets = new Map<string, TargetSpec>();
  for (const [name, fields] of Object.entries(path === '' ? {} : read(path, mistakes))) {
    const target = targetOf(name, fields, env);
    if (Array.isArray(target)) mistakes.push(...target.map((mistake) => `${path}: ${name}: ${mistake}`));
    else targets.set(name, target);
  }
  for (const profile of profiles.names)
    for (const { name } of profiles.get(profile).targets ?? [])
      if (!targets.has(name)) mistakes.push(`Profile ${profile}: there is no target ${name} (publishers.targets)`);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return targets;
}

function read(path: string, mistakes: string[]): Readonly<Record<string, unknown>> {
  try {
    const targets: unknown = parse(readFileSync(path, 'utf8'));
    if (isFields(targets)) return targets;
    mistakes.push(`${path}: expected names of targets`);
  } catch (error) {
    mistakes.push(`Can not read ${path}: ${(error as Error).message.split('\n', 1)[0]}`);
  }
  return {};
}

/** @returns the mistakes where there are any */
function targetOf(name: string, fields: unknown, env: NodeJS.ProcessEnv): TargetSpec | string[] {
  if (!NAME.test(name)) return ['a name has lower-case letters, digits and dashes'];
  if (!isFields(fields)) return ['expected its fields'];
  const kind = fields.type as TargetKind;
  if (!Object.hasOwn(TARGET_SCHEMAS, kind)) return [`type is one of ${Object.keys(TARGET_SCHEMAS).join(', ')}`];
  const unset: string[] = [];
  const filled = fill(fields, env, unset);
  const problems = problemsIn(TARGET_SCHEMAS[kind], filled).map((problem) => problem.replace(/ but received .*/s, ''));
  const mistakes = [...unset.map((variable) => `${variable} is not set`), ...problems];
  return mistakes.length > 0 ? mistakes : (filled as TargetSpec);
}

function fill(value: unknown, env: NodeJS.ProcessEnv, unset: string[]): unknown {
  if (isFields(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, env, unset)]));
  }
  const variable = typeof value === 'string' ? FROM_ENVIRONMENT.exec(value)?.[1] : undefined;
  if (variable === undefined) return value;
  const found = env[variable];
  if (found === undefined || found === '') unset.push(variable);
  return found;
}
