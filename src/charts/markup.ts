/** SVG as text that is well-formed XML, from a document's nodes or from parts. */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Characters that XML 1.0 cannot hold, not even escaped: controls, halves of pairs that stand alone, and what is none. */
const ILLEGAL = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\ufffe\uffff]/gu;

/** A text as it stands in an element or in an attribute. */
export const escapeXml = (text: string): string =>
  text.replace(ILLEGAL, '\ufffd').replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);

/** One element of parts that are markup already. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...children: readonly string[]
): string {
  const list = Object.entries(attributes)
    .flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${escapeXml(String(value))}"`]))
    .join('');
  return children.length === 0 ? `<${name}${list}/>` : `<${name}${list}>${children.join('')}</${name}>`;
}

/** A hundredth of a unit is finer than anyone sees. */
const rounded = (value: string): string =>
  value.replace(/-?\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100));

/**
 * Left out: names of parts, which a reader of the screen does not get to hear inside of an image, and ids, which would
 * clash on a page of many charts.
 */
const isKept = (attribute: string): boolean => !/^(aria-.*|id|xmlns)$/.test(attribute);

/** The markup of the elements and texts within a node, without their style elements. */
export function innerMarkup(node: Node): string {
  return Array.from(node.childNodes, (child) => {
    if (child.nodeType === 3) return escapeXml(child.textContent ?? '');
    if (child.nodeType !== 1 || child.nodeName.toLowerCase() === 'style') return '';
    const attributes = Array.from((child as Element).attributes, ({ name, value }) => [name, rounded(value)] as const);
    const inner = innerMarkup(child);
    return element(
      (child as Element).localName,
      Object.fromEntries(attributes.filter(([name]) => isKept(name))),
      ...(inner === '' ? [] : [inner]),
    );
  }).join('');
}
