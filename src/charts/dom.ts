/** A document for the charting library: the page's own, or one in memory where there is none. */

let inMemory: Promise<Document> | undefined;

async function createDocument(): Promise<Document> {
  const { parseHTML } = await import('linkedom');
  return parseHTML('<!doctype html><html><body></body></html>').document;
}

/** The document in which charts are made; nothing is put into the page. */
export async function chartDocument(): Promise<Document> {
  if (typeof globalThis.document !== 'undefined') return globalThis.document;
  inMemory ??= createDocument();
  return inMemory;
}
