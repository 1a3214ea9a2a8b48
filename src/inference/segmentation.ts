/** The result of a prediction: labels, probabilities and what can be drawn from them. */
import { contours as d3Contours } from 'd3-contour';

/** A closed line around a region, in pixels: the first is the outer border, the others are holes. */
export type Polygon = readonly (readonly (readonly [x: number, y: number])[])[];

/** Red, green, blue and opacity, each 0..255. */
export type Rgba = readonly [number, number, number, number];

/** Told apart by the colour-blind (Okabe and Ito 2008). */
const CLASS_COLOURS: readonly (readonly [number, number, number])[] = [
  [0, 158, 115],
  [86, 180, 233],
  [230, 159, 0],
  [204, 121, 167],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
];

/** The colour in which a class (1, 2, ...) is drawn. */
export const classColour = (label: number): readonly [number, number, number] =>
  CLASS_COLOURS[(label - 1) % CLASS_COLOURS.length] ?? [0, 158, 115];

/** A predicted segmentation at the size of the image that was given. */
export class Segmentation {
  readonly width: number;
  readonly height: number;
  /** `height * width` labels: 0 and 1 of a binary model, else 0..C-1. */
  readonly mask: Uint8Array;
  /** `height * width` probabilities of the foreground; of a model with C classes `height * width * C`. */
  readonly probability: Float32Array;
  /** Names of the classes, background first. */
  readonly classes: readonly string[];
  /** The foreground begins at this probability; binary models only. */
  readonly threshold: number;

  constructor(fields: Pick<Segmentation, 'width' | 'height' | 'mask' | 'probability' | 'classes' | 'threshold'>) {
    this.width = fields.width;
    this.height = fields.height;
    this.mask = fields.mask;
    this.probability = fields.probability;
    this.classes = fields.classes;
    this.threshold = fields.threshold;
  }

  /**
   * The borders of a class as polygons in pixel coordinates, the image's top left corner being [0, 0].
   *
   * @param label Default 1, the foreground.
   */
  contours(label = 1): Polygon[] {
    const inside = Array.from(this.mask, (value) => (value === label ? 1 : 0));
    const [shape] = d3Contours().size([this.width, this.height]).smooth(false).thresholds([0.5])(inside);
    return (shape?.coordinates ?? []).map((rings) =>
      rings.map((ring) => ring.map(([x = 0, y = 0]) => [x, y] as const)),
    );
  }

  /**
   * The mask as a transparent picture to lay over the image: `context.putImageData(result.toImageData(), 0, 0)`.
   *
   * @param opacity 0..255 of the foreground; default 128. The background is transparent.
   * @throws ReferenceError where the runtime has no `ImageData` (Node); use {@link toRgba} there.
   */
  toImageData(opacity = 128): ImageData {
    return new ImageData(this.toRgba(opacity), this.width, this.height);
  }

  /** The pixels of {@link toImageData}: `height * width * 4` values. */
  toRgba(opacity = 128): Uint8ClampedArray<ArrayBuffer> {
    const pixels = new Uint8ClampedArray(this.width * this.height * 4);
    this.mask.forEach((label, i) => {
      if (label > 0) pixels.set([...classColour(label), opacity], i * 4);
    });
    return pixels;
  }
}
