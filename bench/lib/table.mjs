// Results as text.

/** Columns padded to their widest cell: the first to the left, numbers to the right, the last as it is. */
export function columns(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => {
          if (i === 0) return cell.padEnd(widths[i]);
          return i === row.length - 1 ? cell : cell.padStart(widths[i]);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What was timed of one network, fastest first. */
export function networkTable(timed) {
  const header = ['contender', 'ms', 'spread', 'GFLOP/s', 'x ours', 'max error', 'setting'];
  const rows = [...timed]
    .sort((a, b) => a.ms - b.ms)
    .map(({ name, version, setting, ms, spread, gflops, ratioToOurs, maxError }) => [
      `${name} ${version}`,
      ms.toFixed(1),
      `${(100 * spread).toFixed(0)} %`,
      gflops.toFixed(1),
      ratioToOurs === null ? '-' : ratioToOurs.toFixed(2),
      maxError.toExponential(1),
      setting,
    ]);
  return columns([header, ...rows]);
}

/** PyConvU-Net's time in U-Net's, for every contender that was timed with both. */
export function lightnessTable({ pyconvunet, unet }) {
  const rows = pyconvunet.timed.flatMap(({ id, name, ms }) => {
    const other = unet.timed.find((contender) => contender.id === id);
    return other === undefined ? [] : [[name, (ms / other.ms).toFixed(2), '']];
  });
  const ideal = pyconvunet.multiplyAccumulates / unet.multiplyAccumulates;
  return columns([['PyConvU-Net / U-Net', 'time', ''], ['multiply-accumulates', ideal.toFixed(2), ''], ...rows]);
}
