/** The cases of Fig. 4: images with the prediction of every network, and the area where the networks disagree most. */
import type { Sample } from '../../data/index.js';
import type { NetworkName } from '../../models/index.js';

/** A part of an image in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One prediction of a case. */
export interface CasePrediction {
  readonly model: NetworkName;
  readonly mask: Uint8Array;
  readonly dice: number | null;
}

/** One row of Fig. 4. */
export interface FigureCase {
  readonly dataset: string;
  readonly sample: Sample;
  /** Why it was chosen: 'largest disagreement', 'lowest Dice' or 'median Dice'. */
  readonly reason: string;
  readonly predictions: readonly CasePrediction[];
  /** Where the networks disagree most, or, where they agree, where they are wrong most; null where all are right. */
  readonly marked: Box | null;
}

/** Side of the marked square, as a share of the smaller side of the image. */
const BOX_SHARE = 0.25;

/** The square with the largest sum, by sums over rectangles from the corner. */
function largestSquare(values: Float64Array, width: number, height: number): Box | null {
  const side = Math.max(1, Math.round(BOX_SHARE * Math.min(width, height)));
  const stride = width + 1;
  const sums = new Float64Array(stride * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += values[y * width + x] ?? 0;
      sums[(y + 1) * stride + x + 1] = (sums[y * stride + x + 1] ?? 0) + row;
    }
  }
  let best: Box | null = null;
  let most = 0;
  for (let y = 0; y + side <= height; y++) {
    for (let x = 0; x + side <= width; x++) {
      const at = (row: number, column: number) => sums[row * stride + column] ?? 0;
      const sum = at(y + side, x + side) - at(y, x + side) - at(y + side, x) + at(y, x);
      // Rounding must not make an empty square the largest one.
      if (sum > most + 1e-9) {
        most = sum;
        best = { x, y, width: side, height: side };
      }
    }
  }
  return best;
}

/** Share of networks that call a pixel foreground, spread as p (1 - p): 0 where all agree. */
export function disagreement(masks: readonly Uint8Array[]): Float64Array {
  const [first] = masks;
  return Float64Array.from({ length: first?.length ?? 0 }, (_, i) => {
    const share = masks.reduce((sum, mask) => sum + (mask[i] ?? 0), 0) / masks.length;
    return share * (1 - share);
  });
}

/** The area to mark. */
export function markedArea({ width, height, mask: truth }: Sample, masks: readonly Uint8Array[]): Box | null {
  const byDisagreement = largestSquare(disagreement(masks), width, height);
  if (byDisagreement !== null) return byDisagreement;
  const errors = Float64Array.from(truth, (label, i) =>
    masks.reduce((sum, mask) => sum + (mask[i] === label ? 0 : 1), 0),
  );
  return largestSquare(errors, width, height);
}

/** The order of the paper's Fig. 4; the two networks that it leaves out stand before its own. */
const FIGURE_ORDER: readonly NetworkName[] = [
  'unet',
  'unet++',
  'resnet34-unet',
  'fcn8s',
  'attention-unet',
  'multiresunet',
  'pyconvunet',
];

/** Networks in the order of the paper's Fig. 4. */
export const inFigureOrder = (models: readonly NetworkName[]): NetworkName[] =>
  FIGURE_ORDER.filter((model) => models.includes(model));

/** What Fig. 4 needs to know of a scored case. */
export interface ScoredCase {
  readonly sample: Sample;
  readonly predictions: readonly CasePrediction[];
}

const meanDice = ({ predictions }: ScoredCase): number => {
  const values = predictions.flatMap(({ dice }) => dice ?? []);
  return values.length === 0 ? 1 : values.reduce((sum, value) => sum + value, 0) / values.length;
};

const spread = ({ predictions }: ScoredCase): number =>
  disagreement(predictions.map(({ mask }) => mask)).reduce((sum, value) => sum + value, 0);

/** The three cases of a data set that are shown: no case twice. */
export function chooseCases(dataset: string, cases: readonly ScoredCase[]): FigureCase[] {
  const byDice = [...cases].sort((a, b) => meanDice(a) - meanDice(b));
  const bySpread = [...cases].sort((a, b) => spread(b) - spread(a));
  const wanted: [string, ScoredCase | undefined][] = [
    ['largest disagreement', bySpread[0]],
    ['lowest Dice', byDice.find((each) => each !== bySpread[0])],
  ];
  const left = byDice.filter((each) => !wanted.some(([, chosen]) => chosen === each));
  wanted.push(['median Dice', left[Math.floor((left.length - 1) / 2)]]);
  return wanted.flatMap(([reason, chosen]) =>
    chosen === undefined
      ? []
      : [
          {
            dataset,
            reason,
            ...chosen,
            marked: markedArea(
              chosen.sample,
              chosen.predictions.map(({ mask }) => mask),
            ),
          },
        ],
  );
}
