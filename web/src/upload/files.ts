/** Files out of whatever was dropped, pasted or chosen; folders are walked through. */

/** What systems leave in folders for themselves. */
const isLitter = (name: string): boolean => name.startsWith('.') || /^(thumbs\.db|desktop\.ini)$/i.test(name);

/** To be called at once: what was dropped is gone when the event is over. */
export function filesOf({ items, files }: DataTransfer): Promise<File[]> {
  const found: Promise<File[]>[] = [];
  for (const item of items) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry?.();
    const file = item.getAsFile();
    if (entry?.isDirectory) found.push(within(entry as FileSystemDirectoryEntry));
    else if (file) found.push(Promise.resolve([file]));
  }
  return found.length > 0 ? Promise.all(found).then((all) => all.flat()) : Promise.resolve([...files]);
}

async function within(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    // At most a hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    entries.push(...some);
  }
  const files: File[] = [];
  for (const entry of entries.filter(({ name }) => !isLitter(name))) {
    if (entry.isDirectory) files.push(...(await within(entry as FileSystemDirectoryEntry)));
    else files.push(await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
  }
  return files;
}

/** The folder itself was meant, whatever its name is. */
const isMeant = ({ name, webkitRelativePath }: File): boolean =>
  ![...webkitRelativePath.split('/').slice(1, -1), name].some(isLitter);

export const chosen = (list: FileList | null): File[] => [...(list ?? [])].filter(isMeant);
