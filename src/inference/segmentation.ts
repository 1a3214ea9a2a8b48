/** The result of a prediction: labels, probabilities and what can be drawn from them. */
import { contours as d3Contours } from 'd3-contour';
import { DISPLAY, type Displayable, DisplayKind, type MimeBundle } from '../runtime/display.js';
import { InvalidArgumentError } from '../runtime/errors.js';

/** A region: closed rings of [x, y] in pixels, whose last point equals the first. The first is the outer border, the others are holes. */
export type Polygon = readonly (readonly (readonly [x: number, y: number])[])[];

/** How a segmentation is drawn over its image. */
export interface DrawOptions {
  /** Opacity of the classes, 0..1; the background is always transparent. Default 0.5. */
  readonly opacity?: number;
}

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

/**
 * The colour in which a class is drawn: seven that the colour-blind tell apart (Okabe and Ito 2008), then again from the first.
 *
 * @param label The class, counted from 1; 0, the background, is not drawn.
 * @returns [red, green, blue], each 0..255.
 * @throws InvalidArgumentError for any other label.
 *
 * @example
 * ```ts
 * import { inference } from 'pyconvunet';
 *
 * console.log(inference.classColour(1)); // [0, 158, 115]
 * ```
 */
export function classColour(label: number): readonly [number, number, number] {
  const colour = CLASS_COLOURS[(label - 1) % CLASS_COLOURS.length];
  if (colour === undefined) {
    throw new InvalidArgumentError(`A class that is drawn is a whole number from 1 on. Received: ${String(label)}.`);
  }
  return colour;
}

/** Checks an opacity. */
export function requireOpacity(opacity: number): void {
  if (!(opacity >= 0 && opacity <= 1)) {
    throw new InvalidArgumentError(`opacity must be from 0 (transparent) to 1 (opaque). Received: ${String(opacity)}.`);
  }
}

/** A segmentation in a Jupyter cell. */
export const segmentationDisplay = new DisplayKind<Segmentation>(({ width, height, mask, classes }) => {
  const pixels = new Array<number>(classes.length).fill(0);
  for (const label of mask) pixels[label] = (pixels[label] ?? 0) + 1;
  const shares = classes.map((name, label) => `${name} ${((100 * (pixels[label] ?? 0)) / mask.length).toFixed(1)} %`);
  return `Segmentation of ${width} x ${height} pixels: ${shares.join(', ')}`;
});

/** What a {@link Segmentation} is made of. */
export type SegmentationFields = Pick<
  Segmentation,
  'width' | 'height' | 'mask' | 'probability' | 'classes' | 'threshold'
>;

function checkFields({ width, height, mask, probability, classes }: SegmentationFields): void {
  const pixels = width * height;
  const channels = classes.length === 2 && probability.length === pixels ? 1 : classes.length;
  if (mask.length !== pixels || probability.length !== pixels * channels) {
    throw new InvalidArgumentError(
      `A segmentation holds height * width labels and, for each pixel, the foreground's probability or that of each class. Received: height ${height}, width ${width}, ${classes.length} classes, ${mask.length} labels, ${probability.length} probabilities.`,
    );
  }
}

/**
 * A predicted segmentation at the size of the image that was given.
 *
 * @example
 * ```ts
 * import { inference } from 'pyconvunet';
 *
 * const segmentation = new inference.Segmentation({
 *   width: 2, height: 1, mask: Uint8Array.of(0, 1), probability: Float32Array.of(0.2, 0.9),
 *   classes: ['background', 'lung'], threshold: 0.5,
 * });
 * console.log(segmentation.contours()); // [[[[2, 0.5], [1.5, 0], [1, 0.5], [1.5, 1], [2, 0.5]]]]
 * ```
 */
export class Segmentation implements Displayable {
  readonly width: number;
  readonly height: number;
  /** `height * width` labels: 0 and 1 of a binary model, else 0..C-1. */
  readonly mask: Uint8Array;
  /** `height * width` probabilities of the foreground; of a model with C output channels `height * width * C`. */
  readonly probability: Float32Array;
  /** Names of the classes, background first. */
  readonly classes: readonly string[];
  /** The foreground begins at this probability; null where each pixel takes its most probable class. */
  readonly threshold: number | null;

  constructor(fields: SegmentationFields) {
    checkFields(fields);
    this.width = fields.width;
    this.height = fields.height;
    this.mask = fields.mask;
    this.probability = fields.probability;
    this.classes = fields.classes;
    this.threshold = fields.threshold;
  }

  /** Shows the mask in a Jupyter cell once `pyconvunet/notebook` is imported. */
  [DISPLAY](): Promise<MimeBundle> {
    return segmentationDisplay.show(this);
  }

  /**
   * The regions of a class as polygons, for SVG, GeoJSON or a canvas path. The image's top left corner is [0, 0], so that the
   * first pixel's centre is [0.5, 0.5]; lines pass half-way between pixels of the class and others, which cuts corners
   * (marching squares at the level 0.5).
   *
   * @param label The class; default 1, the foreground.
   * @returns One polygon for each region; none where the class does not occur.
   * @throws InvalidArgumentError where there is no such class.
   */
  contours(label = 1): Polygon[] {
    if (!Number.isInteger(label) || label < 0 || label >= this.classes.length) {
      throw new InvalidArgumentError(
        `The segmentation has the classes 0..${this.classes.length - 1}. Received: label ${String(label)}.`,
      );
    }
    const inside = Array.from(this.mask, (value) => (value === label ? 1 : 0));
    const { coordinates } = d3Contours().size([this.width, this.height]).smooth(false).contour(inside, 0.5);
    return coordinates.map((rings) => rings.map((ring) => ring.map(([x = 0, y = 0]) => [x, y] as const)));
  }

  /**
   * The mask as a picture with a transparent background, for a second canvas above the image: `putImageData` replaces what a
   * canvas holds, transparent pixels included.
   *
   * @param options The opacity of the classes.
   * @throws ReferenceError where the runtime has no `ImageData` (Node); use {@link toRgba} there.
   */
  toImageData(options: DrawOptions = {}): ImageData {
    return new ImageData(this.toRgba(options), this.width, this.height);
  }

  /**
   * The pixels of {@link toImageData}.
   *
   * @param options The opacity of the classes.
   * @returns `height * width * 4` values: red, green, blue, alpha.
   */
  toRgba({ opacity = 0.5 }: DrawOptions = {}): Uint8ClampedArray<ArrayBuffer> {
    requireOpacity(opacity);
    const pixels = new Uint8ClampedArray(this.width * this.height * 4);
    this.mask.forEach((label, i) => {
      if (label > 0) pixels.set([...classColour(label), opacity * 255], i * 4);
    });
    return pixels;
  }
}
