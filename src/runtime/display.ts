/** How results show themselves in a Jupyter cell: the method that kernels look for, drawn by `pyconvunet/notebook`. */

/** The method that Deno's Jupyter kernel calls on a cell's value. */
export const DISPLAY: unique symbol = Symbol.for('Jupyter.display');

/** The method by which `console.log` of Node, Deno and Bun asks a value for its text. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/** Representations of a value by their MIME type; a notebook shows the richest one that it can. */
export type MimeBundle = Readonly<Record<string, string>>;

/** A value that a Jupyter cell shows. */
export interface Displayable {
  /** Called by the notebook's kernel. */
  [DISPLAY](): Promise<MimeBundle>;
}

/**
 * One kind of result, such as a history. Its text is always there; the drawing is hung in by `pyconvunet/notebook`, so that a
 * page that never shows a cell carries no charts.
 */
export class DisplayKind<T extends object> {
  constructor(
    private readonly describe: (value: T) => string,
    private draw?: (value: T) => Promise<MimeBundle> | MimeBundle,
  ) {}

  /** Hangs the drawing in. */
  drawBy(draw: (value: T) => Promise<MimeBundle> | MimeBundle): void {
    this.draw = draw;
  }

  /** The representations of a value. */
  async show(value: T): Promise<MimeBundle> {
    const text = { 'text/plain': this.describe(value) };
    return this.draw === undefined ? text : { ...text, ...(await this.draw(value)) };
  }

  /** Gives a plain value the method, where neither JSON nor a loop over its keys sees it. */
  attach<V extends T>(value: V): V & Displayable {
    return Object.defineProperty(value, DISPLAY, { value: () => this.show(value) }) as V & Displayable;
  }
}
