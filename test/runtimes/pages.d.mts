import type { launchChromium } from './runtimes.mjs';

export type Browser = Awaited<ReturnType<typeof launchChromium>>;
export function policy(rest: string): Record<string, string>;
export const isolation: Record<string, string>;
export function resultOf<Result>(
  browser: Browser,
  scripts: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): Promise<Result>;
