/** A snapshot of the public names: what is added, renamed or removed shows in the diff of names.json. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { entries, publicNames } from './publicNames.js';

const root = resolve(import.meta.dirname, '../..');
const names = publicNames();

test('the public names are those of names.json (npm run test:package -- --update)', async () => {
  await expect(`${JSON.stringify(names, null, 2)}\n`).toMatchFileSnapshot('names.json');
});

test.each(entries())('$name has at run time the values that its types promise', async ({ name, types }) => {
  const members = (value: object, prefix: string): string[] =>
    Object.entries(value).flatMap(([key, member]) =>
      Object.prototype.toString.call(member) === '[object Module]'
        ? members(member, `${prefix}${key}.`)
        : [`${prefix}${key}`],
    );
  const module: unknown = await import(/* @vite-ignore */ types.replace(/\.d\.ts$/, '.js'));
  if (typeof module !== 'object' || module === null) throw new Error(`${name} is no module`);
  expect(members(module, '').sort()).toEqual(names[name]?.values);
  expect(types.startsWith(root)).toBe(true);
});
