/** Lines with rounded corners along rows and columns, and the heads of arrows. */
import { element, type Markup } from './svg.js';

/** A place in the figure's units. */
export type Point = readonly [x: number, y: number];

const CORNER = 6;
const HEAD = 7;

const between = (from: Point, to: Point, distance: number): Point => {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const share = length === 0 ? 0 : distance / length;
  return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
};

const at = ([x, y]: Point): string => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;

/**
 * An arrow through the given points, the last of which it touches.
 *
 * @param attributes Of the group around line and head.
 * @param title What it says to those who ask for it.
 */
export function arrow(
  points: readonly Point[],
  attributes: Readonly<Record<string, string | number | undefined>>,
  title?: string,
): Markup {
  const tip = points.at(-1) ?? [0, 0];
  const before = points.at(-2) ?? tip;
  const base = between(tip, before, HEAD);
  // Half of the head's width to either side of its base.
  const side: Point = [((tip[1] - base[1]) / HEAD) * 3.6, ((base[0] - tip[0]) / HEAD) * 3.6];
  const path = points.map((point, i) => {
    const [last, next] = [points[i - 1], points[i + 1]];
    if (last === undefined) return `M${at(point)}`;
    // The line ends inside the head.
    if (next === undefined) return `L${at(between(tip, before, HEAD - 1))}`;
    const room = Math.min(CORNER, ...[last, next].map((p) => Math.hypot(p[0] - point[0], p[1] - point[1]) / 2));
    return `L${at(between(point, last, room))}Q${at(point)} ${at(between(point, next, room))}`;
  });
  const head = [tip, [base[0] + side[0], base[1] + side[1]], [base[0] - side[0], base[1] - side[1]]] as const;
  return element(
    'g',
    attributes,
    ...(title === undefined ? [] : [element('title', {}, title)]),
    element('path', { class: 'line', d: path.join('') }),
    element('path', { class: 'head', d: `M${head.map(at).join('L')}Z` }),
  );
}
