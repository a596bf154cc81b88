import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { doctorPage, doctorProgress, jsonLine, printable } from '../../../src/cli/doctor-page.ts';
import type { DiagnosticsReport, DiagnosticsStep } from '../../../src/services/diagnostics/report.ts';

const step = (over: Partial<DiagnosticsStep> = {}): DiagnosticsStep => ({
  name: 'clock',
  title: 'Clock',
  status: 'PASS',
  detail: 'The clock goes right.',
  remedy: null,
  durationMs: 1,
  ...over,
});

const REPORT: DiagnosticsReport = {
  overall: 'FAIL',
  steps: [
    step(),
    step({
      title: 'Teams application access policy',
      status: 'FAIL',
      detail: 'No Teams application access policy allows this app to act for the organizer, whoever asks for it.',
      remedy: 'Grant the policy. It takes up to half an hour until it works everywhere.',
    }),
  ],
  permissions: [
    { name: 'User.Read.All', grantedInToken: true, usedFor: 'finding the organizer', required: true },
    { name: 'OnlineMeetingArtifact.Read.All', grantedInToken: false, usedFor: 'attendance reports', required: false },
    { name: 'Calendars.ReadWrite', grantedInToken: null, usedFor: 'events', required: true },
  ],
  recommendations: ['Grant the policy.'],
  ranAt: new Date('2026-01-01T00:00:00Z'),
};

const page = (columns: number | null, hasColors = false) => doctorPage('tenant-a', REPORT, { columns, hasColors });

describe('the page of the doctor', () => {
  it('has one line for a finding where lines are not broken', () => {
    expect(page(null).split('\n')).toEqual([
      'Diagnosis of the tenant tenant-a',
      '',
      'PASS  Clock                            The clock goes right.',
      'FAIL  Teams application access policy  No Teams application access policy allows this app to act for the organizer, whoever asks for it.',
      `${' '.repeat(39)}→ Grant the policy. It takes up to half an hour until it works everywhere.`,
      '',
      'Permissions in today’s token:',
      '  yes  User.Read.All                       for finding the organizer',
      '  no   OnlineMeetingArtifact.Read.All      for attendance reports (optional)',
      '  ?    Calendars.ReadWrite                 for events',
      '',
      'Do next:',
      '  1. Grant the policy.',
      '',
      'Overall: FAIL',
      '',
    ]);
  });

  it.each([50, 79, 80, 120])('keeps within %i columns', (columns) => {
    const steps = page(columns).split('\nPermissions')[0] ?? '';
    for (const line of steps.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('is coloured where it may be, and says the same without', () => {
    const coloured = page(100, true);
    expect(coloured).toContain('\u001b[32mPASS\u001b[39m');
    expect(coloured).toContain('\u001b[31mFAIL\u001b[39m');
    expect(stripVTControlCharacters(coloured)).toBe(page(100));
  });
});

describe('what people named', () => {
  const HOSTILE = 'a\u001b[2Jb\u0007c\u009bd\u202ee\nf\u2028g\u0000h';

  it('cannot steer a terminal', () => {
    expect(printable(HOSTILE)).toBe('a [2Jb c d e f g h');
    const text = doctorPage(
      HOSTILE,
      {
        ...REPORT,
        steps: [step({ detail: HOSTILE, title: HOSTILE, status: 'FAIL', remedy: HOSTILE })],
        recommendations: [HOSTILE],
      },
      { columns: null, hasColors: false },
    );
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}\u2028]/u);
  });

  it('comes out of JSON as it was, and cannot steer a terminal either', () => {
    const line = jsonLine({ name: HOSTILE });
    expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028]/u);
    expect(JSON.parse(line)).toEqual({ name: HOSTILE });
  });
});

describe('the progress of the doctor', () => {
  function shownOn(isTTY: boolean | undefined): string[] {
    const written: string[] = [];
    const progress = doctorProgress({
      ...(isTTY === undefined ? {} : { isTTY }),
      write: (text: string) => written.push(text),
    });
    progress.step(step());
    progress.step(step({ title: 'Database', status: 'WARN' }));
    progress.end();
    return written;
  }

  it('writes one line over itself on a terminal, and leaves nothing', () => {
    const clear = '\r\u001b[2K';
    expect(shownOn(true)).toEqual([
      `${clear}Looking …`,
      `${clear}Looking … 1 done; Clock: PASS`,
      `${clear}Looking … 2 done; Database: WARN`,
      clear,
    ]);
  });

  it.each([false, undefined])('writes nothing where nobody looks (%s)', (isTTY) => {
    expect(shownOn(isTTY)).toEqual([]);
  });
});
