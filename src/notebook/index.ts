/** Results in notebooks: importing this hangs the drawings into histories, segmentations and comparisons. */
import { comparisonDisplay } from '../complexity/compare.js';
import { segmentationDisplay } from '../inference/segmentation.js';
import { modelComparisonDisplay } from '../study/statistics/compareModels.js';
import { historyDisplay } from '../training/history.js';
import { historyCurves } from './curves.js';
import { maskPicture } from './pictures.js';
import { complexityTable, modelComparisonTables } from './tables.js';

comparisonDisplay.drawBy(complexityTable);
modelComparisonDisplay.drawBy(modelComparisonTables);
segmentationDisplay.drawBy(maskPicture);
historyDisplay.drawBy(historyCurves);

export type { Displayable, MimeBundle } from '../runtime/display.js';
export { type ShowOptions, showOverlay } from './pictures.js';
