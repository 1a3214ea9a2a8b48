/** The version of this package, written into everything that a run leaves behind. */
export { version } from '../../package.json';
