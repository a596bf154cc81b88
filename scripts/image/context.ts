/** A pattern of `.dockerignore` as a regular expression; unlike a shell's, its `*` stands for a leading dot as well. */
function expressionOf(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/?|[*?]/g, (wild) => (wild.startsWith('**') ? '.*' : wild === '*' ? '[^/]*' : '[^/]'));
  return new RegExp(`^${text}$`);
}

/** The rules of a `.dockerignore`, as a question about a path from the context's root. */
export function readIgnore(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ excludes: !line.startsWith('!'), expression: expressionOf(line.replace(/^!/, '')) }));
  return (path) => {
    // A rule for a folder holds for what is in it; of several rules the last one counts.
    const parts = path.split('/');
    const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    return rules.findLast(({ expression }) => prefixes.some((one) => expression.test(one)))?.excludes ?? false;
  };
}
