import type { DiagnosticsStep } from './report.ts';

const AT_MOST = 8;

/** Causes before what follows from them. Steps of Microsoft's that stand nowhere here come in their own order. */
const ORDER = [
  'database',
  'encryption-keys',
  'clock',
  'app-connected',
  'microsoft-*',
  'credential-expiry',
  'permissions',
  'organizer',
  'integration',
  'queue',
  'webhook',
  'subscriptions',
  'blob-store',
  'capture',
  'meetings',
  'verification',
];
/** Nobody can be found in a directory that gives no token, and no token carries a role before it is granted. */
const BEFORE_PERMISSIONS = new Set([
  'microsoft-directory',
  'microsoft-app',
  'microsoft-secret',
  'microsoft-credentials',
]);

function rankOf({ name }: DiagnosticsStep): number {
  const group = name.startsWith('microsoft-') ? 'microsoft-*' : name;
  const rank = ORDER.indexOf(group);
  if (group !== 'microsoft-*') return rank < 0 ? ORDER.length : rank;
  return BEFORE_PERMISSIONS.has(name) ? rank : ORDER.indexOf('organizer') + 0.5;
}

/** The remedy up to its first full stop; what follows explains. */
export function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s+[\p{Lu}“]|\s*$)/su.exec(text)?.[0] ?? text;
}

/** What to do next: failures before warnings, causes before consequences, each once, eight at the most. */
export function recommendationsOf(steps: readonly DiagnosticsStep[]): string[] {
  const urgent = (status: 'FAIL' | 'WARN') =>
    steps
      .filter((step) => step.status === status)
      .map((step, index) => ({ step, index }))
      .sort((a, b) => rankOf(a.step) - rankOf(b.step) || a.index - b.index)
      .flatMap(({ step: { remedy } }) => (remedy === null ? [] : [firstSentence(remedy)]));
  return [...new Set([...urgent('FAIL'), ...urgent('WARN')])].slice(0, AT_MOST);
}
