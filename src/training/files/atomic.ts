/** Files that are either the old ones or the new ones, whenever the process ends. */
import { open, rename } from 'node:fs/promises';

/** Writes a file beside its place, flushes it to the disk and renames it. */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** {@link writeAtomically} of a JSON document. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}
