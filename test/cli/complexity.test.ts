/** What `complexity` and `draw` print for people. */
import { afterEach, expect, it, vi } from 'vitest';
import { pyconvunet } from './harness.js';

afterEach(() => vi.restoreAllMocks());

it('counts layer by layer under a header, and says both numbers of parameters without an advice of tfjs', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { code, stdout } = await pyconvunet(['complexity', '--model', 'pyconvunet', '--input', '512x512x3']);
  const lines = stdout.trimEnd().split('\n');
  expect(code).toBe(0);
  expect(lines[0]).toMatch(/^layer +parameters +MAC$/);
  expect(new Set(lines.slice(0, -1).map((line) => line.length))).toHaveLength(1);
  expect(lines.at(-1)).toMatch(
    /^pyconvunet: 4,096,801 trainable and 11,776 other parameters, \d+\.\d\d GMac \(macs\) at 512x512x3$/,
  );
  const drawn = await pyconvunet(['draw', '--model', 'unet', '--widths', '4,8', '--input', '32x32x1']);
  expect(drawn).toMatchObject({ code: 0, stderr: '' });
  expect(warn).not.toHaveBeenCalled();
});
