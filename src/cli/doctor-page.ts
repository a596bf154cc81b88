import { styleText } from 'node:util';
import type { DiagnosticsReport, DiagnosticsStep } from '../services/diagnostics/report.ts';

/** Where something is printed, as far as it matters how. */
export interface Terminal {
  /** Characters in a line; null where lines are not broken, as for a pipe. */
  columns: number | null;
  hasColors: boolean;
}

const COLORS = { PASS: 'green', WARN: 'yellow', FAIL: 'red', SKIP: 'gray' } as const;
type Format = (typeof COLORS)[keyof typeof COLORS] | 'bold';

/** What people named (an organizer, a directory) must not steer a terminal or turn its text around. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]|\p{Bidi_Control}/gu, ' ');
}

/** One JSON object in one line, safe to show in a terminal: the same object when it is parsed. */
export function jsonLine(value: unknown): string {
  const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]|\p{Bidi_Control}/gu, escaped);
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of printable(text).split(/ +/)) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

const WIDEST_TITLE = 34;
const NARROW = 80;

/** The report as a table for a person. */
export function doctorPage(tenantId: string, report: DiagnosticsReport, { columns, hasColors }: Terminal): string {
  const paint = (format: Format, text: string) =>
    hasColors ? styleText(format, text, { validateStream: false }) : text;
  const isNarrow = columns !== null && columns < NARROW;
  const titles = Math.min(WIDEST_TITLE, Math.max(...report.steps.map(({ title }) => printable(title).length)));
  const indent = ' '.repeat(isNarrow ? 6 : titles + 8);
  const width = columns === null ? Number.POSITIVE_INFINITY : Math.max(columns - indent.length, 30);
  const block = (text: string) => wrapped(text, width).join(`\n${indent}`);

  const row = ({ status, title, detail, remedy }: DiagnosticsStep) => {
    const head = `${paint(COLORS[status], status)}  ${isNarrow ? printable(title) : printable(title).padEnd(titles)}`;
    const text = isNarrow ? `${head}\n${indent}${block(detail)}` : `${head}  ${block(detail)}`;
    const advice = remedy === null || status === 'SKIP' ? '' : `\n${indent}${paint('bold', block(`→ ${remedy}`))}`;
    return `${text}${advice}`;
  };
  const permissions = report.permissions.map(({ name, grantedInToken, usedFor, required }) => {
    const granted = grantedInToken === null ? '?  ' : grantedInToken ? 'yes' : 'no ';
    return `  ${granted}  ${name.padEnd(34)}  for ${usedFor}${required ? '' : ' (optional)'}`;
  });
  const next = report.recommendations.map((text, index) => `  ${index + 1}. ${printable(text)}`);
  return [
    paint('bold', `Diagnosis of the tenant ${printable(tenantId)}`),
    '',
    ...report.steps.map(row),
    '',
    'Permissions in today’s token:',
    ...permissions,
    ...(next.length === 0 ? [] : ['', 'Do next:', ...next]),
    '',
    `Overall: ${paint(COLORS[report.overall], report.overall)}`,
    '',
  ].join('\n');
}

/** One line that tells how far a diagnosis has come, written over itself; nothing where nobody would see it. */
export function doctorProgress(stream: { isTTY?: boolean; write(text: string): unknown }): {
  step(step: DiagnosticsStep): void;
  end(): void;
} {
  let ended = 0;
  const show = (text: string) => {
    if (stream.isTTY) stream.write(`\r\u001b[2K${text}`);
  };
  show('Looking …');
  return {
    step({ title, status }) {
      ended += 1;
      show(`Looking … ${ended} done; ${printable(title).slice(0, 40)}: ${status}`);
    },
    end: () => show(''),
  };
}
