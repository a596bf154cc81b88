import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import { pageHeaders } from './page-headers.ts';

const STYLE = `
:root { color-scheme: light dark; --text: #1d1f33; --quiet: #50546e; --page: #f4f5f9; --card: #fff; --line: #c9ccdb;
  --fail: #a3121b; --warn: #7a4b00; --pass: #12632f; --skip: #50546e; --code: #eceef5; --link: #2f3fb0; }
@media (prefers-color-scheme: dark) { :root { --text: #eceef8; --quiet: #b3b7cf; --page: #15161f; --card: #1f212e;
  --line: #3c4058; --fail: #ff9a9a; --warn: #f2c265; --pass: #7fd69a; --skip: #b3b7cf; --code: #15161f; --link: #a9b4ff; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); }
main { max-width: 880px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { margin: 0 0 4px; font-size: 26px; line-height: 1.25; }
h2 { margin: 40px 0 4px; font-size: 20px; }
h3 { margin: 0; font-size: 17px; }
p { margin: 8px 0; }
a { color: var(--link); }
.quiet { color: var(--quiet); }
.badge { display: inline-block; padding: 0 8px; border: 2px solid; border-radius: 6px; font-size: 14px; font-weight: 700; }
.FAIL { color: var(--fail); } .WARN { color: var(--warn); } .PASS { color: var(--pass); } .SKIP { color: var(--skip); }
.verdict { margin: 20px 0; padding: 16px; border: 1px solid var(--line); border-left: 8px solid; border-radius: 8px;
  background: var(--card); font-size: 20px; font-weight: 700; }
.card { margin: 12px 0; padding: 16px; border: 1px solid var(--line); border-left-width: 6px; border-radius: 8px;
  background: var(--card); overflow-wrap: anywhere; }
.card.FAIL { border-left-color: var(--fail); } .card.WARN { border-left-color: var(--warn); }
.card > * { color: var(--text); }
.card .head { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; }
.remedy { padding-left: 12px; border-left: 3px solid var(--line); }
figure { margin: 12px 0 0; }
figcaption { display: flex; flex-wrap: wrap; gap: 8px; justify-content: space-between; align-items: center; color: var(--quiet); }
pre { margin: 6px 0 0; padding: 12px; border-radius: 6px; background: var(--code);
  font: 14px/1.5 ui-monospace, monospace; white-space: pre-wrap; }
table { width: 100%; margin: 8px 0; border-collapse: collapse; background: var(--card); }
th, td { padding: 8px; border: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; }
details { margin: 12px 0; }
summary { cursor: pointer; padding: 8px 0; }
label { display: block; margin: 20px 0 4px; font-weight: 600; }
input, button { font: inherit; color: inherit; }
input { width: 100%; padding: 10px; border: 1px solid var(--quiet); border-radius: 6px; background: var(--card); }
button { padding: 8px 16px; border: 1px solid var(--quiet); border-radius: 6px; background: var(--card); cursor: pointer; }
form button { margin-top: 12px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
@media (max-width: 600px) { th, td { padding: 6px; } .wide { display: none; } }
`;

/** Shows the copy buttons, which do nothing without it, and lets them copy what stands beside them. */
const SCRIPT = `
for (const button of document.querySelectorAll('button[data-copies]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const source = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = 'Selected: press Ctrl+C';
    }
  });
}
`;

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but the style and the script of these very bytes; no request to anywhere. */
export const PAGE_HEADERS = {
  ...pageHeaders({
    'style-src': hashOf(STYLE),
    'script-src': hashOf(SCRIPT),
    'img-src': 'data:',
    'form-action': "'self'",
  }),
  'cache-control': 'no-store',
};

/** A whole page that needs nothing besides itself. */
export function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
${content}
</main>
<script>${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
}
