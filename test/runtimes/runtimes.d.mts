export const runtimes: Readonly<Record<string, readonly string[]>>;
export function softwareGpu(): Promise<Record<string, string>>;

/** The part of playwright-core's browser that the tests use; it is not installed in the root. */
interface Page {
  on(event: 'pageerror', listener: (error: Error) => void): void;
  on(event: 'request', listener: (request: { url(): string }) => void): void;
  goto(url: string): Promise<unknown>;
  waitForFunction(expression: string, argument?: undefined, options?: { timeout: number }): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
  close(): Promise<void>;
}
export function launchChromium(): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>;
