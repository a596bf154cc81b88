/** Text as it may stand in an element or attribute. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A drawing of this size that is readable in light and dark mode, also as an image in a page. */
export function drawing(
  { width, height, label, style }: { width: number; height: number; label: string; style: string },
  elements: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">
<style>
  :root { --surface: #ffffff; --text: #1f2328; --faint: #59636e; --line: #d1d9e0; }
  @media (prefers-color-scheme: dark) { :root { --surface: #0d1117; --text: #f0f6fc; --faint: #9198a1; --line: #3d444d; } }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--text); }
  .faint { fill: var(--faint); }
${style}
</style>
<rect width="100%" height="100%" fill="var(--surface)"/>
${elements.join('\n')}
</svg>
`;
}
