/** Runs the command within the test's process and catches what it prints. */
import { vi } from 'vitest';
import { runCommand } from '../../src/cli/program.js';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `pyconvunet ...args`; `watch` sees each text as it is written, to either stream. */
export async function pyconvunet(
  args: readonly string[],
  signal: AbortSignal = new AbortController().signal,
  watch: (text: string) => void = () => {},
): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      watch(String(text));
      return true;
    }),
  );
  try {
    const code = await runCommand(args, signal);
    return { code, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
