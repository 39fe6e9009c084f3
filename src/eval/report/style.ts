/** The look of a study's page, on light and dark. Colours that differ in lightness too; widths that fit a phone. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #d9dee4; --quiet: #57606a; --s0: #57606a; --s1: #0b62c4; --s2: #b3450c; --s3: #1a7a38; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --paper: #16191d; --faint: #363c44; --quiet: #9aa4af; --s0: #a9b3bd; --s1: #6cb3ff; --s2: #ff9b61; --s3: #5fd283; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
main { max-width: 84rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; } dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: .5rem 0 1rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .75rem; border-bottom: 1px solid var(--faint); vertical-align: top; } thead th { color: var(--quiet); font-weight: 600; } tbody th { text-align: left; font-weight: 600; } thead th:first-child { text-align: left; }
main > .wide th, main > .wide td { white-space: nowrap; } details table td { text-align: left; max-width: 28rem; overflow-wrap: anywhere; } summary { cursor: pointer; margin: 1.5rem 0 .5rem; font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: .25rem; } figure > svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--faint); } .tick, .axis, .label { fill: var(--quiet); font-size: 12px; } .label { fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.line { fill: none; stroke-width: 2; } .bar { stroke-width: 1.5; opacity: .6; }
.mark.s0 { fill: var(--s0); } .mark.s1 { fill: var(--s1); } .mark.s2 { fill: var(--s2); } .mark.s3 { fill: var(--s3); }
.line.s0, .bar.s0 { stroke: var(--s0); } .line.s1, .bar.s1 { stroke: var(--s1); } .line.s2, .bar.s2 { stroke: var(--s2); } .line.s3, .bar.s3 { stroke: var(--s3); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; margin: .25rem 0 0; } .legend li { display: flex; align-items: center; gap: .35rem; }
`;
