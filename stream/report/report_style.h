// The style sheet of the report: light, dark and paper.
#pragma once

#include <string_view>

namespace rfm {

inline constexpr std::string_view kReportStyle = R"css(
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff;
  --line: #d0d7de; --bar: #2f6fb3; --second: #c26a1b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9da7b1; --paper: #11161c; --line: #30363d; --bar: #6aa9e9;
    --second: #e59a54; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 64rem; color: var(--ink);
  background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .3rem; border-top: 1px solid var(--line);
  padding-top: 1rem; }
.finding { font-size: 1.05rem; max-width: 50rem; }
.about, caption, figcaption, nav { color: var(--soft); }
nav ul { columns: 2; padding-left: 1.2rem; }
a { color: var(--bar); }
figure { margin: 1rem 0; }
svg { width: 100%; max-width: 46rem; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); }
.bar, .heat { fill: var(--bar); }
.second { fill: var(--second); }
.grid { stroke: var(--line); stroke-width: 1; }
.diagonal { stroke: var(--soft); stroke-dasharray: 4 4; }
.curve { fill: none; stroke: var(--bar); stroke-width: 2; }
.t { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; font-weight: normal;
  border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { font-weight: 600; }
tr.sum th, tr.sum td { color: var(--soft); border-bottom-style: dotted; }
.n { text-align: right; white-space: nowrap; }
thead th, thead .n { white-space: normal; vertical-align: bottom; }
@media print {
  :root { color-scheme: light; --ink: #000000; --soft: #444444; --paper: #ffffff; --line: #bbbbbb;
    --bar: #2f6fb3; --second: #c26a1b; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  p, figure, .t, tr { break-inside: avoid; }
  h2, .finding, figcaption, caption, thead { break-after: avoid; }
  .t { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding-right: .4rem; }
  .bar, .heat, .second { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace rfm
