"""The style sheet of all reports, in light and in dark. Colours are those of the drawing page."""

STYLE = """
:root {
  --desk: #f6f3ec; --surface: #fffefb; --sunken: #efebe1; --ink: #1d1b18; --muted: #655f55; --line: #e3ddd0;
  --accent: #2c47c5; --right: #16803c; --near: #8a5a00; --missed: #a02c1d;
  --right-ground: #e2f3e6; --near-ground: #fbefd6; --missed-ground: #fbe6e2;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --desk: #171513; --surface: #211f1c; --sunken: #34312c; --ink: #f3efe7; --muted: #b3aca0; --line: #3a3731;
    --accent: #93a5ff; --right: #6fd08f; --near: #e8b75a; --missed: #f08f80;
    --right-ground: #193524; --near-ground: #3a2c10; --missed-ground: #43201b;
  }
}
*, *::before, *::after { box-sizing: border-box; }
body {
  margin: 0; background: var(--desk); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  -webkit-text-size-adjust: 100%; text-size-adjust: 100%; print-color-adjust: exact;
}
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 64px; display: grid; gap: 20px; }
main > *, .columns > * { min-width: 0; }
h1 { margin: 0; font-size: 28px; line-height: 1.2; letter-spacing: -0.02em; text-wrap: balance; }
h2 { margin: 0; font-size: 20px; letter-spacing: -0.01em; }
h2 em { color: var(--accent); font-style: normal; }
h3 { margin: 0 0 4px; font-size: 16px; }
h4 { margin: 18px 0 0; font-size: 15px; }
h4 span { color: var(--muted); font-weight: 400; }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 14px; padding: 20px 24px; }
ul { margin: 8px 0 0; padding-left: 20px; }
li { overflow-wrap: anywhere; }
b, td, .interval, .score, .rank { font-variant-numeric: tabular-nums; }
.lead { margin: 2px 0 16px; color: var(--muted); }
.hint { margin: 0 0 8px; color: var(--muted); font-size: 13.5px; }
.interval, .note { color: var(--muted); font-size: 13px; white-space: nowrap; }
.method { color: var(--muted); }
.method h3 { color: var(--ink); }

.facts { margin: 14px 0 0; display: flex; flex-wrap: wrap; gap: 8px 32px; }
.facts dt { color: var(--muted); font-size: 13px; }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }

.tiles { margin: 0; display: grid; grid-template-columns: repeat(5, 1fr); gap: 12px; }
.tile { background: var(--desk); border-radius: 10px; padding: 12px 14px; }
.tile dt { color: var(--muted); font-size: 13px; }
.tile dd { margin: 0; }
.tile b { font-size: 28px; line-height: 1.25; letter-spacing: -0.02em; }
.tile .unit { margin-left: 3px; color: var(--muted); }
.tile .interval, .tile .note { display: block; white-space: normal; }
.tile .bar { margin-top: 8px; }

svg.bar { display: block; width: 100%; height: 10px; border-radius: 3px; }

.columns { display: grid; grid-template-columns: 330px 1fr; gap: 20px; align-items: start; }
.chart:not(.bar) { display: block; width: 100%; max-width: 520px; margin: 6px auto 8px; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 20px; }

.scroll { overflow-x: auto; }
.methods { width: 100%; border-collapse: collapse; }
.methods th, .methods td {
  padding: 7px 10px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap;
}
.methods th:first-child, .methods .name { text-align: left; }
.methods thead th { color: var(--muted); font-size: 13px; font-weight: 400; vertical-align: bottom; }
.methods td small { display: block; color: var(--muted); font-size: 12.5px; }
.methods .gain { color: var(--right); }
.methods .loss { color: var(--missed); }

.categories { width: 100%; border-collapse: collapse; table-layout: fixed; }
.categories th { text-align: left; font-weight: 600; overflow-wrap: anywhere; }
.categories thead th {
  color: var(--muted); font-size: 13px; font-weight: 400; vertical-align: bottom; overflow-wrap: normal;
}
.categories th, .categories td { padding: 7px 6px; border-bottom: 1px solid var(--line); }
.categories tbody tr:last-child > * { border-bottom: 0; }
.categories td, .categories thead th:not(:first-child, .wide) { text-align: right; width: 8%; }
.categories .wide { width: 32%; text-align: left; padding-left: 18px; }
.measure { display: grid; grid-template-columns: 1fr 44px 96px; gap: 10px; align-items: center; }
.measure b { text-align: right; }
details { margin: 6px 0; border-block: 1px solid var(--line); padding: 6px 0; }
summary { color: var(--accent); cursor: pointer; }

.query {
  display: grid; grid-template-columns: 216px 1fr; gap: 6px 16px; align-items: center;
  padding: 12px 0; border-top: 1px solid var(--line); break-inside: avoid;
}
h4 + .query { border-top: 0; }
.sketched { display: grid; grid-template-columns: 96px 1fr; gap: 12px; align-items: center; min-width: 0; }
.sketched > div { min-width: 0; }
.sketched b, .sketched .name { display: block; font-size: 13.5px; overflow-wrap: anywhere; line-height: 1.3; }
.sketched .name { color: var(--muted); margin-bottom: 4px; }
.rank { display: inline-block; padding: 1px 8px; border-radius: 99px; font-size: 12.5px; background: var(--sunken); }
.rank.first { background: var(--right-ground); color: var(--right); }
.rank.near { background: var(--near-ground); color: var(--near); }
.rank.missed { background: var(--missed-ground); color: var(--missed); }
.reason { grid-column: 1 / -1; margin: 0; color: var(--missed); font-size: 13.5px; }
.results {
  margin: 0; padding: 0; list-style: none;
  display: grid; grid-template-columns: repeat(11, minmax(0, 1fr)); gap: 6px;
}
.picture {
  display: block; aspect-ratio: 1; border-radius: 6px; background: #fff center / contain no-repeat;
  box-shadow: inset 0 0 0 1px var(--line);
}
.score {
  display: block; padding-top: 2px; color: var(--muted); font-size: 12px; text-align: center; white-space: nowrap;
}
.right .picture { box-shadow: 0 0 0 3px var(--right); }
.right .score { color: var(--right); font-weight: 600; padding-top: 4px; }
.beyond .picture { box-shadow: 0 0 0 3px var(--missed); }
.beyond .score { color: var(--missed); }

.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 500px), 1fr)); gap: 16px; }
figure { margin: 0; }
figure img { display: block; max-width: 100%; border-radius: 8px; }
figcaption { color: var(--muted); font-size: 13.5px; padding-top: 4px; }

@media (max-width: 1000px) {
  .columns { grid-template-columns: 1fr; }
  .query { grid-template-columns: 1fr; }
  .sketched { grid-template-columns: 80px 1fr; }
}
@media (max-width: 640px) {
  main { padding: 20px 12px 40px; gap: 14px; }
  h1 { font-size: 23px; }
  section { padding: 16px; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: 8px; }
  .tile:last-child { grid-column: 1 / -1; }
  .results { grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 8px; }
  .categories thead { display: none; }
  .categories, .categories tbody, .categories tr { display: block; }
  .categories tr { padding: 9px 0; border-bottom: 1px solid var(--line); }
  .categories tbody tr:last-child { border-bottom: 0; }
  .categories th, .categories td { border: 0; padding: 0; }
  .categories th { display: block; }
  .categories td:not(.wide) {
    display: inline-block; width: auto; margin-right: 12px; color: var(--muted); font-size: 13px;
  }
  .categories td:not(.wide)::before { content: attr(data-label) " "; }
  .categories .wide { display: block; width: auto; padding: 4px 0; }
}
@media print { body { background: none; } section { border: 0; padding: 8px 0; } }
""".strip()
