/** A rendered report as a document that tests can ask. */
import { parseHTML } from 'linkedom';
import { renderReport } from '../../../src/study/report/html/index.js';
import type { StudyReport } from '../../../src/study/schemas.js';
import { makeFigures } from './fixture.js';

/** A table's rows below a data set's header, or all where there are no headers: texts of the cells, the row's header first. */
export type Cells = readonly string[];

const textOf = (element: Element): string => (element.textContent ?? '').replace(/\s+/g, ' ').trim();

/** The page with what tests look for. */
export class Page {
  readonly document: Document;

  constructor(readonly source: string) {
    this.document = parseHTML(source).document;
  }

  /** What is shown: the page without its style and script. */
  get content(): string {
    return this.document.querySelector('main')?.innerHTML ?? '';
  }

  /** Texts of all elements that a selector finds. */
  texts(selector: string): string[] {
    return Array.from(this.document.querySelectorAll(selector), textOf);
  }

  /** The rows of a table; with a data set only its own. */
  rows(id: string, dataset?: string): Cells[] {
    const bodies = Array.from(this.document.querySelectorAll(`#${id} tbody`)).filter((body) => {
      const head = body.querySelector('tr.group');
      return dataset === undefined || (head !== null && textOf(head).startsWith(dataset));
    });
    return bodies.flatMap((body) =>
      Array.from(body.querySelectorAll('tr:not(.group)'), (row) => Array.from(row.children, textOf)),
    );
  }
}

/** Renders a report with its figures. */
export const render = async (report: StudyReport): Promise<Page> =>
  new Page(await renderReport(report, makeFigures(report)));
