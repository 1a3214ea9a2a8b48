/** SVG as text: elements whose attributes and texts are escaped by construction. */

/** Markup that {@link element} made; a plain string is always text. */
export interface Markup {
  readonly markup: string;
}

/** Whether XML 1.0 can hold a character at all; the others not even escaped. */
function isLegal(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
  // Halves of pairs that stand alone, and what is no character.
  return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A line break in an attribute would be read as a space.
  '\n': '&#10;',
};

const escaped = (text: string, characters: RegExp): string =>
  [...text]
    .map((character) => (isLegal(character) ? character : '\ufffd'))
    .join('')
    .replace(characters, (character) => ENTITIES[character] ?? character);

/** A tenth of a unit is finer than anyone sees. */
const written = (value: string | number): string =>
  typeof value === 'number' ? String(Math.round(value * 10) / 10 + 0) : escaped(value, /[&<>"\n]/g);

/**
 * One element.
 *
 * @param name Of the element.
 * @param attributes Their values; undefined leaves one out, numbers are rounded to a tenth.
 * @param children Elements, or strings, which are text.
 */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...children: readonly (Markup | string)[]
): Markup {
  const list = Object.entries(attributes)
    .flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${written(value)}"`]))
    .join('');
  if (children.length === 0) return { markup: `<${name}${list}/>` };
  const inner = children.map((child) => (typeof child === 'string' ? escaped(child, /[&<>]/g) : child.markup));
  // A group's children stand on lines of their own, so that a change of a figure reads well as a difference of lines.
  const separator = name === 'g' || name === 'svg' ? '\n' : '';
  return { markup: `<${name}${list}>${separator}${inner.join(separator)}${separator}</${name}>` };
}
