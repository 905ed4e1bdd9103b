/**
 * What survives a reload of the page: where each upload is on the server, and the bytes of small files. A page
 * may not open a file of the disk again by itself, so a large one has to be chosen once more.
 */
const DATABASE = 'mediamill';
const STORE = 'uploads';
/** The browser copies what is kept: more would fill disks. Bytes. */
const KEEP_FILE = 256 * 1024 ** 2;

export interface Kept {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly lastModified: number;
  /** On the server; absent until the server knows of it. */
  readonly url?: string | undefined;
  readonly file?: File | undefined;
}

export const keeping = (file: File): File | undefined => (file.size <= KEEP_FILE ? file : undefined);

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no IndexedDB'));
  });
  return opened;
}

async function within<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const store = (await open()).transaction(STORE, mode).objectStore(STORE);
  return new Promise((resolve, reject) => {
    const request = use(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}

/** A private window may have no database: uploads work without, they only do not survive a reload. */
const orNothing = <T>(work: Promise<T>): Promise<T | undefined> => work.catch(() => undefined);

export const keep = (kept: Kept): Promise<unknown> => orNothing(within('readwrite', (store) => store.put(kept)));
export const forget = (id: string): Promise<unknown> => orNothing(within('readwrite', (store) => store.delete(id)));
export const allKept = async (): Promise<Kept[]> =>
  (await orNothing(within('readonly', (store) => store.getAll() as IDBRequest<Kept[]>))) ?? [];
