/** Networks on this machine, timed side by side: for the command `pyconvunet benchmark`. */
export { TOLERANCE } from './agreement.js';
export {
  type BenchmarkOptions,
  type BenchmarkProgress,
  type BenchmarkSettings,
  benchmark,
  type NetworkResult,
  type Place,
  type Result,
} from './benchmark.js';
export { type NotTimed, SAMPLES, type Timed } from './compete.js';
export { type ContenderName, nameOf, type Work } from './contender.js';
export type { Profile, ProfileRow } from './profile.js';
export type { Subject } from './subject.js';
