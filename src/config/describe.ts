/** What is derived from the schema for people and for child processes. */
import { stringify } from 'yaml';
import type { Config } from './schema.js';
import { SETTINGS } from './settings.js';

const valueOf = (config: Config, group: string, key: string): unknown =>
  (config as unknown as Record<string, Record<string, unknown>>)[group]![key];

/** The Markdown table of all settings. */
export function configTable(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = SETTINGS.map(({ name, env, format, default: value, description }) => {
    const shown = format(value);
    return `| \`${name}\` | \`${env}\` | ${shown === '' ? '' : `\`${cell(shown)}\``} | ${cell(description)} |`;
  });
  return ['| Setting | Environment variable | Default | Meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** `config/example.yaml`: every setting with its default, commented out. */
export function configExample(): string {
  const lines = [
    '# Every setting with its default. Copy what you change to config/local.yaml, or set the environment variable.',
    '# Generated from src/config/schema.ts.',
  ];
  let group = '';
  for (const setting of SETTINGS) {
    if (setting.group !== group) lines.push('', `# ${(group = setting.group)}:`);
    lines.push(`#   # ${setting.description} (${setting.env})`);
    lines.push(
      `#   ${setting.key}: ${stringify(setting.default, { collectionStyle: 'flow', flowCollectionPadding: false }).trim()}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The configuration with its secrets masked, for logs and `doctor`. */
export function redactedConfig(config: Config): Config {
  const copy = structuredClone(config) as unknown as Record<string, Record<string, unknown>>;
  for (const { group, key, secret } of SETTINGS) if (secret) copy[group]![key] = '***';
  return copy as unknown as Config;
}

/** Environment variables that give a child process exactly this configuration, whatever files lie in its folder. */
export function configEnv(config: Config): Record<string, string> {
  const values = SETTINGS.map(({ group, key, env, format }) => [env, format(valueOf(config, group, key))] as const);
  return { ...Object.fromEntries(values), MEDIAMILL_CONFIG: '' };
}
