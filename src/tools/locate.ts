/** Where a program is, and what it needs beside it. */
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';

/** The absolute path of a program on PATH. @throws Error when there is none. */
export function locate(command: string): string {
  if (isAbsolute(command)) return command;
  const found = find(command);
  if (found === undefined) throw new Error(`${command} is not installed`);
  return found;
}

/** The first of these programs that is installed. */
export function findFirst(commands: readonly string[]): string | undefined {
  return commands.map(find).find((path) => path !== undefined);
}

function find(command: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, command))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * The folders that a program needs to be seen in the sandbox: its own, that of the file it links to, and a `lib`
 * beside them (a private Node or ffmpeg under /opt). Those below /usr are there anyway.
 */
export function programFolders(command: string): string[] {
  const folders = [dirname(command), dirname(realpathSync(command))];
  const libraries = folders
    .map((folder) => join(dirname(folder), 'lib'))
    .filter((folder) => folder !== '/lib' && existsSync(folder));
  return [...new Set([...folders, ...libraries])];
}
