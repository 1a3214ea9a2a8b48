import { version as packageVersion } from '../../package.json';

/** The version of this package, written into everything that a run leaves behind. */
export const version: string = packageVersion;
