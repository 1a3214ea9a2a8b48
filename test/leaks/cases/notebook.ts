/** Leak cases of the notebook entry: pictures of plain arrays. */
import { inference } from '../../../src/index.js';
import * as notebook from '../../../src/notebook.js';
import { bytes } from '../inputs.js';
import type { LeakCases } from '../leakCase.js';

export const cases: LeakCases = {
  showOverlay: async () => {
    const { width, height, data } = bytes;
    const segmentation = new inference.Segmentation({
      ...{ width, height, classes: ['background', 'foreground'], threshold: 0.5 },
      mask: data.map((value) => (value > 100 ? 1 : 0)),
      probability: Float32Array.from(data, (value) => value / 255),
    });
    const cell = notebook.showOverlay(bytes, segmentation);
    for (const symbol of Object.getOwnPropertySymbols(cell)) {
      const show: unknown = Reflect.get(cell, symbol);
      if (typeof show === 'function') await show.call(cell);
    }
  },
};
