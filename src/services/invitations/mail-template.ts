import { escapeHtml } from '../meetings/event-draft.ts';

/** Fills a template: every value is text, never mark-up, and its line breaks are kept. */
export type Template<Name extends string> = (values: Record<Name, string>) => string;

type Part<Name> = { text: string } | { value: Name } | { section: Name; parts: Part<Name>[] };

const TAG = /\{\{([#/]?)(\w+)\}\}/g;

function parse<Name extends string>(source: string, names: readonly Name[]): Part<Name>[] {
  const open: { name: Name | null; parts: Part<Name>[] }[] = [{ name: null, parts: [] }];
  const last = () => open[open.length - 1] ?? { name: null, parts: [] };
  let at = 0;
  for (const { 0: tag, 1: sign, 2: word, index } of source.matchAll(TAG)) {
    const name = names.find((known) => known === word);
    if (name === undefined) throw new Error(`The template names ${tag}, which it is not given`);
    last().parts.push({ text: source.slice(at, index) });
    at = index + tag.length;
    if (sign === '#') open.push({ name, parts: [] });
    else if (sign === '') last().parts.push({ value: name });
    else {
      const { parts } = last();
      if (last().name !== name) throw new Error(`The template closes ${tag} where it is not open`);
      open.pop();
      last().parts.push({ section: name, parts });
    }
  }
  last().parts.push({ text: source.slice(at) });
  if (open.length > 1) throw new Error(`The template leaves {{#${last().name}}} open`);
  return last().parts;
}

/**
 * Reads a template once. `{{name}}` stands for a value, and what is between `{{#name}}` and `{{/name}}` appears only
 * where that value is not empty.
 *
 * @throws when the template uses other names than these, or does not close what it opens
 */
export function compileTemplate<Name extends string>(source: string, names: readonly Name[]): Template<Name> {
  const root = parse(source, names);
  return (values) => {
    const fill = (parts: Part<Name>[]): string =>
      parts
        .map((part) => {
          if ('text' in part) return part.text;
          if ('section' in part) return values[part.section] === '' ? '' : fill(part.parts);
          return escapeHtml(values[part.value]).replace(/\r\n?|\n/g, '<br>');
        })
        .join('');
    return fill(root);
  };
}
