/** The picture in docs/architecture.md shows the imports that are there, and its table every room of src/. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
// Every room may import them; the picture leaves these arrows out.
const leaves = ['runtime', 'spec'];

/** `from → to` for each room that imports another one. */
function imports(): string[] {
  const arrows = rooms.flatMap((room) =>
    readdirSync(join(root, 'src', room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const text = readFileSync(join(root, 'src', room, file), 'utf8');
        const targets = [...text.matchAll(/from '((?:\.\.\/)+)(\w+)\//g)];
        // '../' once for each folder between the file and src/.
        const depth = file.split(/[/\\]/).length;
        return targets.flatMap(([, up = '', to]) => (up.length / 3 === depth ? [`${room} → ${to}`] : []));
      }),
  );
  return [...new Set(arrows)].filter((arrow) => !leaves.some((leaf) => arrow.endsWith(`→ ${leaf}`))).sort();
}

/** The arrows of the mermaid picture. */
function drawn(): string[] {
  const picture = /```mermaid\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  return picture
    .split('\n')
    .flatMap((line) => {
      const [, from, targets] = /^ *(\w+)(?:\[.*?\])? --> (.*)$/.exec(line) ?? [];
      return targets === undefined ? [] : targets.split(' & ').map((to) => `${from} → ${to.trim()}`);
    })
    .filter((arrow) => !leaves.some((leaf) => arrow.endsWith(`→ ${leaf}`)))
    .sort();
}

test('the picture shows the imports between rooms, no more and no fewer', () => {
  expect(drawn()).toEqual(imports());
});

test('the table names every room', () => {
  const named = [...page.matchAll(/^\| (`.*?)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name),
  );
  expect(named.sort()).toEqual([...rooms].sort());
});
