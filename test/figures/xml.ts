/** A strict reader of the XML that figures are: it refuses what is not well-formed instead of mending it, as browsers do in HTML. */

export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const NAME = /[A-Za-z_][\w.:-]*/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(text)) throw new Error(`A bare & in: ${text}`);
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if ((code < 32 && ![9, 10, 13].includes(code)) || (code >= 0xd800 && code <= 0xdfff) || code === 0xfffe) {
      throw new Error(`The character ${code} is no XML.`);
    }
  }
  return text.replace(/&(#?)(\w+);/g, (_, hash, word) =>
    hash === '' ? (ENTITIES[word] ?? '') : String.fromCodePoint(Number(word)),
  );
}

/** Parses a document of one element, without comments, declarations and sections of any kind. */
export function parseXml(source: string): XmlElement {
  let at = 0;
  const fail = (what: string): never => {
    throw new Error(`${what} at ${at}: ${source.slice(at, at + 40)}`);
  };
  const take = (pattern: RegExp): string => {
    const sticky = new RegExp(pattern.source, 'y');
    sticky.lastIndex = at;
    const found = sticky.exec(source)?.[0] ?? fail(`Expected ${pattern.source}`);
    at += found.length;
    return found;
  };
  const element = (): XmlElement => {
    take(/</);
    const name = take(NAME);
    const attributes = new Map<string, string>();
    while (/\s/.test(source[at] ?? '')) {
      take(/\s+/);
      const key = take(NAME);
      if (attributes.has(key)) fail(`${key} stands twice`);
      attributes.set(key, decode(take(/="[^"<]*"/).slice(2, -1)));
    }
    const result: XmlElement = { name, attributes, children: [], text: '' };
    if (take(/\/?>/) === '/>') return result;
    for (;;) {
      const text = take(/[^<]*/);
      if (text.includes(']]>')) fail(']]> in a text');
      result.text += decode(text);
      if (source.startsWith('</', at)) break;
      result.children.push(element());
    }
    take(/<\//);
    if (take(NAME) !== name) fail(`<${name}> is closed by another name`);
    take(/\s*>/);
    return result;
  };
  const root = element();
  take(/\s*/);
  if (at < source.length) fail('Something behind the root');
  return root;
}

/** All elements below one, in the order of the document. */
export const descendants = (root: XmlElement): XmlElement[] =>
  root.children.flatMap((child) => [child, ...descendants(child)]);

/** The elements that have an attribute. */
export const having = (root: XmlElement, attribute: string): XmlElement[] =>
  descendants(root).filter(({ attributes }) => attributes.has(attribute));
