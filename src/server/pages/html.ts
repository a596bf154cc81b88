import { escapeHtml } from '../../services/meetings/event-draft.ts';

/** A piece of a page that is HTML already. Only `html` makes one, so that no text becomes one by mistake. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | null | readonly Html[];

function write(value: Value): string {
  if (value === null) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(({ text }) => text).join('');
  return escapeHtml(String(value));
}

/** A piece of a page: text that is put in is escaped, for contents and for quoted attributes; other pieces are not. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.reduce((page, text, index) => page + write(values[index - 1] ?? null) + text));
}
