/** The page's own script: buttons that copy a table as tab-separated text. Without it the page lacks only them. */

export const SCRIPT = `
(() => {
  const said = document.getElementById('said');
  const textOf = (cell) => cell.innerText.replace(/\\s+/g, ' ').trim();
  // Cells that span rows or columns leave empty ones, so that columns stay below each other.
  const linesOf = (table) => {
    const grid = [];
    [...table.rows].forEach((row, y) => {
      grid[y] ??= [];
      let x = 0;
      for (const cell of row.cells) {
        while (grid[y][x] !== undefined) x++;
        for (let down = 0; down < cell.rowSpan; down++) {
          grid[y + down] ??= [];
          for (let right = 0; right < cell.colSpan; right++) grid[y + down][x + right] = '';
        }
        grid[y][x] = textOf(cell);
      }
    });
    return grid.map((cells) => cells.join('\\t')).join('\\n');
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Where a page may not write to the clipboard by itself.
      const area = document.createElement('textarea');
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand('copy');
      area.remove();
      return done;
    }
  };
  // Paper shows what a screen may fold away.
  addEventListener('beforeprint', () => {
    for (const each of document.querySelectorAll('details')) each.open = true;
  });
  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      const done = await copy(linesOf(document.getElementById(button.dataset.copy)));
      button.focus();
      button.textContent = done ? 'Copied' : 'Not copied';
      said.textContent = done ? 'Table copied.' : 'The table could not be copied.';
      setTimeout(() => { button.textContent = 'Copy'; said.textContent = ''; }, 2000);
    });
  }
})();
`;
