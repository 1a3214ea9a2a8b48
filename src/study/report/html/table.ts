/** A table with its caption, its headers' scopes, a place of its own to scroll in and a button that copies it. */
import { type Content, html, type Markup } from './markup.js';

/** A column; `group` is what several neighbours have above them. */
export interface Column {
  readonly head: Content;
  readonly group?: string;
  /** Numbers stand right. Default true. */
  readonly numeric?: boolean;
  /** Long texts break into lines. Default false. */
  readonly wrap?: boolean;
}

/** A row: its header and one cell for each further column. */
export interface Row {
  readonly head: Content;
  readonly cells: readonly Content[];
  /** `quiet`: for comparison only. */
  readonly kind?: 'quiet' | 'strong';
}

/** Rows under a common header. */
export interface RowGroup {
  readonly head?: Content;
  readonly rows: readonly Row[];
}

/** What {@link table} needs. */
export interface TableOptions {
  /** Unique in the page. */
  readonly id: string;
  /** As the paper calls it, such as `Table 2`. */
  readonly label: string;
  readonly caption: Content;
  /** The first is that of the rows' headers. */
  readonly columns: readonly Column[];
  readonly groups: readonly RowGroup[];
}

/** Neighbouring columns of one group. */
interface Span {
  readonly group: string | undefined;
  readonly first: Column;
  readonly size: number;
}

function spansOf(columns: readonly Column[]): Span[] {
  const spans: Span[] = [];
  for (const column of columns) {
    const last = spans.at(-1);
    if (last !== undefined && column.group !== undefined && last.group === column.group) {
      spans[spans.length - 1] = { ...last, size: last.size + 1 };
    } else spans.push({ group: column.group, first: column, size: 1 });
  }
  return spans;
}

const align = ({ numeric = true, wrap = false }: Column): Content => {
  if (numeric) return html` class="number"`;
  return wrap ? html` class="text"` : null;
};

function header(columns: readonly Column[]): Markup {
  const single = (column: Column, rows: number) =>
    html`<th scope="col"${rows > 1 ? html` rowspan="${rows}"` : null}${align(column)}>${column.head}</th>`;
  if (columns.every(({ group }) => group === undefined)) {
    return html`<tr>${columns.map((column) => single(column, 1))}</tr>`;
  }
  const top = spansOf(columns).map(({ group, first, size }) =>
    group === undefined ? single(first, 2) : html`<th scope="colgroup" colspan="${size}" class="span">${group}</th>`,
  );
  const below = columns.filter(({ group }) => group !== undefined).map((column) => single(column, 1));
  return html`<tr>${top}</tr><tr>${below}</tr>`;
}

function body(columns: readonly Column[], { head, rows }: RowGroup): Markup {
  const title =
    head === undefined
      ? null
      : html`<tr class="group"><th scope="rowgroup" colspan="${columns.length}">${head}</th></tr>
`;
  const lines = rows.map(({ head: name, cells, kind }) => {
    const values = columns.slice(1).map((column, i) => html`<td${align(column)}>${cells[i]}</td>`);
    return html`<tr${kind === undefined ? null : html` class="${kind}"`}><th scope="row">${name}</th>${values}</tr>
`;
  });
  return html`<tbody>${title}${lines}</tbody>
`;
}

/** The table. */
export function table({ id, label, caption, groups, ...options }: TableOptions): Markup {
  const columns = options.columns.map((column, i) => (i === 0 ? { ...column, numeric: false } : column));
  return html`<div class="table">
<div class="scroll" role="region" tabindex="0" aria-labelledby="${id}-caption">
<table id="${id}">
<caption id="${id}-caption"><b>${label}.</b> ${caption}</caption>
<thead>${header(columns)}</thead>
${groups.map((group) => body(columns, group))}</table>
</div>
<button type="button" class="copy" data-copy="${id}" hidden aria-label="Copy ${label} as tab-separated text">Copy</button>
</div>
`;
}
