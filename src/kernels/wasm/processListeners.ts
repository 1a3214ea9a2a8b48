/** Takes back the handlers of uncaught errors that Emscripten's module puts on a Node process when tfjs's backend starts. */

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

type Listener = Parameters<NodeJS.EventEmitter['removeListener']>[1];

/** What throws its argument on, as both of Emscripten's handlers do and nothing else; under whatever names a bundler gives. */
const RETHROWS =
  /^(?:function\s*)?\(?\s*(\w+)\s*\)?\s*(?:=>)?\s*\{\s*(?:if\s*\(!\(\1 instanceof \w+\)\)\s*)?\{?\s*throw \1;?\s*\}?\s*\}$/;

const listenersOf = (event: (typeof EVENTS)[number]): Listener[] =>
  event === 'uncaughtException' ? process.listeners(event) : process.listeners(event);

/**
 * Runs a start and removes the handlers that it has left: with them an uncaught error of the application would be thrown
 * again inside tfjs, and the process would end with tfjs's trace and exit code 7. Handlers of the application stay, also those
 * that it adds meanwhile.
 */
export async function withoutAddedListeners<T>(start: () => Promise<T>): Promise<T> {
  if (typeof process === 'undefined' || typeof process.listeners !== 'function') return start();
  const before = EVENTS.map((event) => new Set(listenersOf(event)));
  try {
    return await start();
  } finally {
    for (const [i, event] of EVENTS.entries()) {
      for (const listener of listenersOf(event)) {
        if (before[i]?.has(listener) === false && RETHROWS.test(String(listener)))
          process.removeListener(event, listener);
      }
    }
  }
}
