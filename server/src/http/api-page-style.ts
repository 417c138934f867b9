/** The style of the API's page. Light or dark as the reader's system is; on paper without the list at the side. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--line:#d8dee4;--soft:#f6f8fa;--dim:#59636e;--link:#0a5cad}
@media(prefers-color-scheme:dark){:root{--line:#30363d;--soft:#161b22;--dim:#9198a1;--link:#6cb0ff}body{background:#0d1117;color:#e6edf3}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 system-ui,sans-serif;display:grid;grid-template-columns:19rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1rem;border-right:1px solid var(--line);font-size:13px}
nav ul{list-style:none;margin:0 0 1rem;padding:0}
nav li a{display:block;padding:.15rem 0;overflow-wrap:anywhere}
nav h2{font-size:12px;text-transform:uppercase;letter-spacing:.06em;color:var(--dim);margin:1rem 0 .3rem}
.top{font-weight:600;font-size:15px}
main{padding:1.5rem 2.5rem 6rem;max-width:70rem}
main>h2{margin:3rem 0 1rem;text-transform:capitalize;border-bottom:1px solid var(--line)}
article{margin:0 0 2.5rem;padding:1rem 1.25rem;border:1px solid var(--line);border-radius:8px;scroll-margin-top:1rem}
article:target{border-color:var(--link)}
h3{margin:0 0 .5rem;font-size:17px;overflow-wrap:anywhere}
h4{margin:1.2rem 0 .4rem;font-size:12px;text-transform:uppercase;letter-spacing:.06em;color:var(--dim)}
p{margin:.4rem 0}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
code,pre{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.8rem 1rem;overflow:auto;margin:0}
table{border-collapse:collapse;width:100%;font-size:14px}
td{border-top:1px solid var(--line);padding:.35rem .8rem .35rem 0;vertical-align:top;overflow-wrap:anywhere}
tr:first-child>td{border-top:0}
td:first-child{width:27%}
td:nth-child(2){width:25%}
td table{font-size:13px}
small{color:var(--dim)}
em{color:#b35900;font-size:12px}
.method{display:inline-block;min-width:3.9em;padding:0 2px;font:600 11px/1.6 ui-monospace,monospace;text-align:center;border-radius:4px;color:#fff;background:#57606a}
.get{background:#1f6feb}.post{background:#1a7f37}.put,.patch{background:#9a6700}.delete{background:#cf222e}
@media(max-width:60rem){body{display:block}nav{position:static;height:auto;max-height:45vh;border:0;border-bottom:1px solid var(--line)}main{padding:1rem}td:first-child{width:40%}td:nth-child(2){width:20%}}
@media print{body{display:block}nav{display:none}article{break-inside:avoid}}
`;
