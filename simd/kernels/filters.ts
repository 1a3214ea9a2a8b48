/** The order in which filters are read and written as they lie in a model. */
import type { IntVar, Writer } from '../lang.js';

/** Outputs that lie in one line of the cache where they lie side by side. */
const LINE = 16;

/** Visits four outputs of one input after the other: all outputs of a line, then the next input, since lines are far from each other. */
export function eachOutputs(
  w: Writer,
  p: Readonly<Record<'inputs' | 'outputs', IntVar>>,
  visit: (output: IntVar, input: IntVar) => void,
): void {
  w.loop(0, p.outputs, LINE, (line) => {
    const next = w.int(line.plus(LINE));
    const end = w.int(next.where(next.below(p.outputs), p.outputs));
    w.loop(0, p.inputs, 1, (i) => {
      w.loop(line, end, 4, (o) => visit(o, i));
    });
  });
}
