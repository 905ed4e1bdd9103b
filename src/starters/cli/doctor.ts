import type { Command } from 'commander';
import { loadConfig } from '../../config/index.js';
import { diagnose, type Check } from '../../local/doctor.js';

export function describeChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .flatMap(({ name, ok, needed, found, fix }) => {
      const mark = ok ? 'ok' : needed ? 'MISSING' : 'note';
      return [
        `${mark.padEnd(8)} ${name.padEnd(width)}  ${found}`,
        ...(!ok && fix ? [`${' '.repeat(width + 11)}${fix}`] : []),
      ];
    })
    .join('\n');
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what is there, which version, what is missing and the command that brings it')
    .option('--json', 'as one JSON object')
    .action(async ({ json = false }: { json?: boolean }) => {
      const checks = await diagnose(loadConfig());
      const ok = checks.every((check) => check.ok || !check.needed);
      console.log(json ? JSON.stringify({ ok, checks }, null, 2) : describeChecks(checks));
      if (!ok) process.exitCode = 1;
    });
}
