/**
 * Reading of local files without an import of `node:` built-ins, which a bundler for browsers would stumble over: Node, Deno
 * and Bun hand them out at run time.
 */
import { DataError } from './errors.js';
import { messageOf, withoutPeriod } from './sentences.js';

type FileSystem = typeof import('node:fs/promises');
type Urls = typeof import('node:url');

const hasBuiltins = (): boolean => typeof process !== 'undefined' && typeof process.getBuiltinModule === 'function';
const fileSystem = (): FileSystem | undefined =>
  hasBuiltins() ? process.getBuiltinModule('node:fs/promises') : undefined;
const urls = (): Urls | undefined => (hasBuiltins() ? process.getBuiltinModule('node:url') : undefined);

/** Whether this runtime has a file system. */
export const hasFileSystem = (): boolean => fileSystem() !== undefined;

/**
 * The path of a file: URL, whose percent codes and drive letter are resolved. As tfjs-node has it, `file://` before a relative
 * path is taken off.
 */
export function pathOfFileUrl(url: string): string {
  const isAbsolute = /^file:\/\/(localhost)?\//i.test(url);
  return isAbsolute ? (urls()?.fileURLToPath(url) ?? url) : url.slice('file://'.length);
}

/**
 * Reads a local file.
 *
 * @param path The file.
 * @param advice What to do where it cannot be read: a sentence for the message.
 * @throws DataError naming the file where it cannot be read.
 */
export async function readLocalFile(path: string, advice: string): Promise<Uint8Array<ArrayBuffer>> {
  const fs = fileSystem();
  if (fs === undefined) throw new DataError(`There is no file system here to read ${path} from. Give a URL.`);
  try {
    // A copy of its own: Node's buffers of small files are slices of a shared pool.
    return new Uint8Array(await fs.readFile(path));
  } catch (error) {
    throw new DataError(`Cannot read ${path}: ${withoutPeriod(messageOf(error))}. ${advice}`, {
      cause: error,
    });
  }
}
