/** Files that are either the old ones or the new ones, whenever the process ends. */
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes a file beside its place, flushes it to the disk and renames it. */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // What has failed is told, not that its remains could not be removed.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Removes what processes left that ended while they wrote: `<name>.<pid>.tmp` of a folder's own files.
 *
 * @param folder A folder that no other process writes into.
 * @param isOwn Tells the names of the files that are written here.
 */
export async function removeLeftovers(folder: string, isOwn: (name: string) => boolean): Promise<void> {
  for (const temporary of await readdir(folder)) {
    const name = /^(.+)\.\d+\.tmp$/.exec(temporary)?.[1];
    if (name !== undefined && isOwn(name)) await rm(join(folder, temporary), { force: true });
  }
}

/** {@link writeAtomically} of a JSON document. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}
