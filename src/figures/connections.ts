/** What passes between stages: the main way through a network, and the skips that are joined to it. */

/** How a map enters a stage: it is what the stage mainly works on, or it is joined to that. */
export type ConnectionKind = 'main' | 'concatenated' | 'added' | 'gated';

/** A map that passes from a stage to another one. */
export interface Connection {
  readonly from: string;
  readonly to: string;
  readonly kind: ConnectionKind;
}

const JOINS: Readonly<Record<string, ConnectionKind>> = {
  Multiply: 'gated',
  Add: 'added',
  Average: 'added',
  Concatenate: 'concatenated',
};

/** All that passes from one stage to another. */
export interface Passage {
  readonly from: string;
  readonly to: string;
  /** Height of what arrives. */
  readonly height: number;
  /** Classes of the layers at which it arrives. */
  readonly entries: Set<string>;
}

/** How the maps of a passage are joined to the stage's own; a gate tells more than what follows it. */
const joinOf = ({ entries }: Passage): ConnectionKind =>
  Object.entries(JOINS).find(([className]) => entries.has(className))?.[1] ?? 'added';

/**
 * Tells the main map of each stage from what is joined to it.
 *
 * @param order The stages in the order of computation.
 * @param heightOf Height of the map that a stage hands on.
 * @param outputs Stages whose maps the model returns.
 */
export function connectionsOf(
  order: readonly string[],
  passages: readonly Passage[],
  heightOf: (stage: string) => number,
  outputs: ReadonlySet<string>,
): Connection[] {
  const rank = (name: string) => order.indexOf(name);
  const kinds = new Map<Passage, ConnectionKind>();
  for (const name of order) {
    // What comes from a later stage would go back: only a model whose names are interleaved has that.
    const entering = passages.filter(({ from, to }) => to === name && rank(from) < rank(name));
    const [main] = [...entering].sort(
      (a, b) =>
        Number(b.height !== heightOf(name)) - Number(a.height !== heightOf(name)) || rank(b.from) - rank(a.from),
    );
    for (const passage of passages.filter(({ to }) => to === name)) {
      kinds.set(passage, passage === main ? 'main' : joinOf(passage));
    }
  }
  // A stage that keeps the size of what enters and whose every map is joined elsewhere lies on a skip, and so does the way
  // to it.
  for (const name of [...order].reverse()) {
    const leaving = passages.filter(({ from }) => from === name).map((passage) => kinds.get(passage) ?? 'main');
    const [kind] = leaving;
    const entering = passages.filter(({ to }) => to === name);
    const keepsSize = entering.every(({ height }) => height === heightOf(name));
    if (outputs.has(name) || kind === undefined || leaving.includes('main') || !keepsSize) continue;
    for (const passage of entering) kinds.set(passage, kind);
  }
  return passages.map((passage) => ({ from: passage.from, to: passage.to, kind: kinds.get(passage) ?? 'main' }));
}
