/** The event loop's turn: signals, timers and the page's own work run between two units of long work. */
export const yieldToOthers = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
