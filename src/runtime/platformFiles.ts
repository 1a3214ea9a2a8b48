/**
 * Reading of local files without an import of `node:` built-ins, which a bundler for browsers would stumble over: Node, Deno
 * and Bun hand them out at run time.
 */
import { DataError } from './errors.js';

type FileSystem = typeof import('node:fs/promises');

function fileSystem(): FileSystem | undefined {
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return undefined;
  return process.getBuiltinModule('node:fs/promises');
}

/** Whether this runtime has a file system. */
export const hasFileSystem = (): boolean => fileSystem() !== undefined;

/**
 * Reads a local file.
 *
 * @throws DataError naming the file where it cannot be read.
 */
export async function readLocalFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const fs = fileSystem();
  if (fs === undefined) throw new DataError(`There is no file system here to read ${path} from. Give a URL.`);
  try {
    // A copy of its own: Node's buffers of small files are slices of a shared pool.
    return Uint8Array.from(await fs.readFile(path));
  } catch (error) {
    throw new DataError(`Cannot read ${path}: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
}
