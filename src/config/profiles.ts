/** Profiles from their files: the shipped ones, and those of the operator's own folder, which go first. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { MediaError } from '../contracts/errors.js';
import type { Profile } from '../contracts/profile.js';
import { ConfigError } from './config-error.js';
import { isFields, problemsOf } from './profile-problems.js';
import { nearest } from './suggest.js';

export interface Profiles {
  /** Sorted. */
  readonly names: readonly string[];
  /** @throws MediaError PROFILE_UNKNOWN */
  get(name: string): Profile;
  /**
   * The path of a file that lies beside the profiles, as a watermark does.
   * @throws Error when there is none
   */
  file(name: string): string;
}

/** Beside `src` and `dist` alike. */
export const SHIPPED_PROFILES = fileURLToPath(new URL('../../profiles', import.meta.url));

const EXTENSION = '.yaml';
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

/**
 * @param dir the operator's folder, empty for none. A file there replaces the shipped one of its name, and may extend it.
 * @throws ConfigError with every mistake of every file
 */
export function loadProfiles(dir: string): Profiles {
  const mistakes: string[] = [];
  const folders = [...(dir === '' ? [] : [dir]), SHIPPED_PROFILES];
  if (dir !== '' && !existsSync(dir)) mistakes.push(`profiles.dir (PROFILES_DIR) names no folder: ${dir}`);
  const sources = folders.filter((folder) => existsSync(folder)).map((folder) => readFolder(folder, mistakes));
  const profiles = new Map<string, Profile>();
  for (const name of [...new Set(sources.flatMap((files) => [...files.keys()]))].sort()) {
    const profile = resolve(name, sources, mistakes);
    if (profile) profiles.set(name, profile);
  }
  for (const [name, { watermark }] of profiles) {
    if (watermark !== 'off' && !find(folders, watermark.file))
      mistakes.push(`Profile ${name}: there is no file ${watermark.file} beside the profiles`);
  }
  if (mistakes.length > 0) throw new ConfigError([...new Set(mistakes)]);
  const names = [...profiles.keys()];
  return {
    names,
    get(name) {
      const profile = profiles.get(name);
      // Names of files are the operator's business; the uploader learns what is close to the mistake.
      if (!profile) throw new MediaError('PROFILE_UNKNOWN', suggestion(name, names));
      return profile;
    },
    file(name) {
      const path = find(folders, name);
      if (!path) throw new Error(`There is no file ${name} beside the profiles.`);
      return path;
    },
  };
}

function suggestion(name: string, names: readonly string[]): string | undefined {
  const close = nearest(name, names);
  return close && `Did you mean ${close}?`;
}

const find = (folders: readonly string[], name: string): string | undefined =>
  folders.map((folder) => join(folder, basename(name))).find((path) => existsSync(path));

type Fields = Readonly<Record<string, unknown>>;
interface ProfileFile {
  readonly path: string;
  readonly fields: Fields;
}

function readFolder(folder: string, mistakes: string[]): ReadonlyMap<string, ProfileFile> {
  const files = new Map<string, ProfileFile>();
  for (const entry of readdirSync(folder).sort()) {
    if (!entry.endsWith(EXTENSION)) continue;
    const path = join(folder, entry);
    const name = basename(entry, EXTENSION);
    if (!NAME.test(name)) mistakes.push(`${path}: ${name} can not be the name of a profile`);
    try {
      const fields: unknown = parse(readFileSync(path, 'utf8'));
      if (isFields(fields)) files.set(name, { path, fields });
      else mistakes.push(`${path}: expected the fields of a profile`);
    } catch (error) {
      mistakes.push(`Can not read ${path}: ${(error as Error).message.split('\n', 1)[0]}`);
    }
  }
  return files;
}

/** @param sources the folders' files, the operator's first */
function resolve(
  name: string,
  sources: readonly ReadonlyMap<string, ProfileFile>[],
  mistakes: string[],
): Profile | undefined {
  const chain: ProfileFile[] = [];
  for (let wanted: string | undefined = name; wanted !== undefined;) {
    const candidates: ProfileFile[] = sources.flatMap((files) => files.get(wanted!) ?? []);
    // A file that extends its own name means the one that it replaces.
    const file: ProfileFile | undefined = candidates.find((candidate) => !chain.includes(candidate));
    if (!file) {
      const first = chain[0]!.path;
      const problem = candidates.length > 0 ? 'comes back to itself' : 'does not exist';
      mistakes.push(`${first}: extends ${wanted}, which ${problem}`);
      return undefined;
    }
    chain.push(file);
    const next: unknown = file.fields.extends;
    if (next !== undefined && typeof next !== 'string') {
      mistakes.push(`${file.path}: extends names one profile`);
      return undefined;
    }
    wanted = next;
  }
  const [{ path }] = chain as [ProfileFile];
  const { extends: _, ...merged } = chain.reduceRight<Fields>((base, { fields }) => merge(base, fields), {});
  const problems = problemsOf(merged);
  mistakes.push(...problems.map((problem) => `${path}: ${problem}`));
  return problems.length === 0 ? (merged as Profile) : undefined;
}

/** Groups are merged field by field; a list, such as the rungs, is replaced. */
function merge(base: Fields, own: Fields): Fields {
  const entries = Object.entries(own).filter(([, value]) => value !== null);
  return {
    ...base,
    ...Object.fromEntries(
      entries.map(([key, value]) => {
        const below = base[key];
        return [key, isFields(below) && isFields(value) ? merge(below, value) : value];
      }),
    ),
  };
}
