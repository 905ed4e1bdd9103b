export class ConfigError extends Error {
  /** One sentence per mistake, each with the setting's name. No secrets. */
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(
      `${mistakes.length === 1 ? 'A mistake' : `${mistakes.length} mistakes`} in the configuration:\n- ${mistakes.join('\n- ')}`,
    );
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}
