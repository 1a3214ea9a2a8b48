// The image under the mask: generated or from a file, on a canvas; and the mask above it, as SVG.
import { inference } from 'pyconvunet';
import { type PhantomName, phantom, toLabels } from 'pyconvunet/training';

/** Larger pictures are scaled down: the network resizes them anyway. */
const LARGEST = 1024;

/** What the page segments; the true mask is known of generated images only. */
export interface Picture {
  readonly name: string;
  readonly canvas: HTMLCanvasElement;
  readonly truth: Uint8Array | null;
}

function context2d(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This browser gives no 2d canvas.');
  return context;
}

/** Draws a generated image. */
export function drawPhantom(canvas: HTMLCanvasElement, task: PhantomName, seed: number): Picture {
  const [{ name, image, mask }] = phantom(task, { count: 1, size: 128, seed });
  const pixels = new ImageData(image.width, image.height);
  for (const [i, grey] of image.data.entries()) pixels.data.set([grey, grey, grey, 255], 4 * i);
  context2d(canvas, image.width, image.height).putImageData(pixels, 0, 0);
  return { name: `generated ${task}`, canvas, truth: toLabels(mask, name) };
}

/** Draws a file that the browser can decode. */
export async function drawFile(canvas: HTMLCanvasElement, file: File): Promise<Picture> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name} is no image that this browser can read. Choose a PNG, JPEG or WebP file.`);
  });
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(length * scale)));
  const context = context2d(canvas, width, height);
  // Transparent parts would count as black.
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { name: file.name, canvas, truth: null };
}

const SVG = 'http://www.w3.org/2000/svg';

/** Draws the regions of each class in its colour; none where there is no segmentation. */
export function drawOverlay(svg: SVGElement, segmentation: inference.Segmentation | null): void {
  svg.replaceChildren();
  if (segmentation === null) return;
  svg.setAttribute('viewBox', `0 0 ${segmentation.width} ${segmentation.height}`);
  for (let label = 1; label < segmentation.classes.length; label++) {
    const path = document.createElementNS(SVG, 'path');
    // A polygon's first ring is its border, the others are holes, which even-odd leaves out.
    const rings = segmentation.contours(label).flat();
    path.setAttribute('d', rings.map((ring) => `M${ring.join('L')}Z`).join(''));
    path.setAttribute('fill-rule', 'evenodd');
    path.style.color = `rgb(${inference.classColour(label).join(' ')})`;
    svg.append(path);
  }
}
