/** The page's style: one column of text, tables and grids of pictures, light and dark, on a screen and on paper. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1c2127; --quiet: #565f69; --line: #d5dade; --band: #f3f5f7; --link: #0b5394; --strong: #1c2127;
}
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #15191e; --ink: #e8ebee; --quiet: #a5afba; --line: #363e47; --band: #1f252c; --link: #85bcf0; --strong: #fff; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 3rem) 4rem; max-width: 82rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif;
  overflow-wrap: break-word;
}
h1, h2, h3, table, nav, button, .facts, .legend, .cells, figcaption b, pre, summary { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: clamp(1.5rem, 1.2rem + 1.6vw, 2.1rem); line-height: 1.2; margin: 0 0 .6rem; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p, ul.text, ol.text { max-width: 46rem; margin: 0 0 .8rem; }
ul.text, ol.text { padding-left: 1.3rem; }
ul.text li, ol.text li { margin: .25rem 0; }
a { color: var(--link); text-underline-offset: .15em; }
section { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.4rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.quiet, tr.quiet th, tr.quiet td { color: var(--quiet); }
.lead { font-size: 1.08rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: 1rem 0; font-size: .9rem; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; min-width: 0; }
nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .88rem; }
nav li { padding: .15rem 0; }
.caveats { border-left: 3px solid var(--ink); padding: .1rem 0 .1rem 1rem; margin: 1.2rem 0; }
.caveats p { margin: .35rem 0; }

.table { position: relative; margin: 1.2rem 0 1rem; width: fit-content; max-width: 100%; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; line-height: 1.35; font-variant-numeric: tabular-nums lining-nums; border-bottom: 1.5px solid var(--ink); }
caption { text-align: left; padding: 0 4.2rem .5rem 0; font-size: .88rem; min-width: min(26rem, 74vw); max-width: min(60rem, 84vw); }
th, td { padding: .32rem .5rem; text-align: left; vertical-align: baseline; font-weight: 400; }
td { white-space: nowrap; }
td.text { white-space: normal; min-width: 12rem; }
thead th { font-weight: 600; vertical-align: bottom; }
thead tr:first-child th { border-top: 1.5px solid var(--ink); }
thead tr:last-child th, thead th[rowspan] { border-bottom: 1px solid var(--ink); }
thead th.span { text-align: center; border-bottom: 1px solid var(--line); }
th.number, td.number { text-align: right; }
tbody th { overflow-wrap: anywhere; min-width: 6.5rem; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody th[scope=row], thead tr:first-child th:first-child { position: sticky; left: 0; z-index: 1; background: var(--paper); background-clip: padding-box; }
tr.group th { font-weight: 600; background: var(--band); }
tr.strong > * { font-weight: 700; color: var(--strong); }
.copy {
  position: absolute; top: -.1rem; right: 0; font-size: .75rem; line-height: 1; padding: .4rem .6rem; min-height: 1.6rem; border: 1px solid var(--quiet);
  border-radius: 4px; background: var(--paper); color: var(--ink); cursor: pointer;
}
.copy:hover { background: var(--band); }
.copy[hidden] { display: none; }

figure { margin: 1.2rem 0; }
figcaption { max-width: 46rem; font-size: .92rem; margin: .6rem 0 0; }
.charts { display: flex; flex-wrap: wrap; gap: 1.2rem 1.6rem; }
.charts > div { flex: 1 1 300px; min-width: 0; max-width: 460px; }
.name { white-space: nowrap; }
.title { max-width: none; font: 600 .88rem/1.3 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; margin: 0 0 .3rem; }
.charts .pyconvunet-chart { width: 100%; }
.legend { list-style: none; margin: 0 0 .9rem; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .84rem; }
.legend li { display: flex; align-items: center; gap: .4rem; }
.swatch { width: 1.6rem; height: .8rem; flex: none; }
.swatch.prediction { background: rgb(86 180 233); }
.swatch.contour { height: 0; border-top: 3px solid rgb(230 0 0); }
.swatch.area { height: 1rem; width: 1rem; border: 2px solid #ffe100; outline: 1px solid #000; box-shadow: inset 0 0 0 1px #000; background: #777; }

.case { margin: 1.4rem 0; break-inside: avoid; }
.cells { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(30%, 112px), 1fr)); gap: .7rem .6rem; list-style: none; margin: 0; padding: 0; }
.cells li { min-width: 0; max-width: 200px; font-size: .76rem; line-height: 1.3; }
.cells .name { display: block; white-space: normal; font-weight: 600; margin-top: .25rem; }
.cells .score { color: var(--quiet); font-variant-numeric: tabular-nums; }
.picture { position: relative; display: block; overflow: hidden; background: #000; }
.picture img { display: block; width: 100%; height: auto; }
.picture.small img { image-rendering: pixelated; }
.picture i { position: absolute; border: 2px solid #ffe100; outline: 1px solid #000; box-shadow: inset 0 0 0 1px #000; }

pre { margin: .6rem 0; padding: .7rem .9rem; background: var(--band); border-radius: 4px; font: .82rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-x: auto; max-width: 60rem; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
summary { cursor: pointer; font-size: .9rem; font-weight: 600; padding: .3rem 0; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; font-size: .88rem; color: var(--quiet); }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 34rem) {
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .45rem; }
  tbody th[scope=row] { max-width: 10rem; }
  caption { padding-right: 0; }
  .copy { position: static; margin-top: .5rem; }
}

@page { size: A4; margin: 16mm 14mm; }
@media print {
  html { font-size: 9.5pt; }
  body { padding: 0; max-width: none; }
  p, ul.text, ol.text, figcaption { max-width: none; }
  nav, .copy { display: none; }
  section { margin-top: 1.6rem; break-before: auto; }
  h2, h3, .title, section > p { break-after: avoid; }
  .table { break-inside: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 6.8pt; }
  th, td { padding: .16rem .28rem; }
  tbody th { min-width: 0; }
  td.text { min-width: 0; }
  tbody th[scope=row], thead tr:first-child th:first-child { position: static; }
  thead { display: table-header-group; }
  tr, .charts > div, .case, figcaption, section > p { break-inside: avoid; }
  caption { padding-right: 0; max-width: none; }
  .charts > div { flex: 0 0 86mm; }
  .cells { grid-template-columns: repeat(9, 1fr); gap: 1.5mm; }
  .cells li { font-size: 6pt; }
  pre { white-space: pre-wrap; }
  a { color: inherit; text-decoration: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
