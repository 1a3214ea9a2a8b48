import type { Page } from './runtimes.mjs';

export function axeViolations(page: Pick<Page, 'evaluate'>): Promise<string[]>;
