/** A machine in a line. */
import type { Machine } from '../../schemas.js';

/** Backend, threads where they are known, processor and system. */
export function machineText({ backend, threads, processor, system }: Machine): string {
  const count = threads === null ? [] : [threads === 1 ? 'one thread' : `${threads} threads`];
  return [`backend ${backend}`, ...count, processor, system].join(', ');
}
