import { describe, expect, it } from 'vitest';
import { duration } from '../../../src/services/diagnostics/finding.ts';
import { firstSentence, recommendationsOf } from '../../../src/services/diagnostics/recommendations.ts';
import type { DiagnosticsStep } from '../../../src/services/diagnostics/report.ts';

const step = (name: string, status: DiagnosticsStep['status'], remedy: string | null): DiagnosticsStep => ({
  name,
  title: name,
  status,
  detail: 'So.',
  remedy,
  durationMs: 0,
});

describe('recommendations', () => {
  it('name causes before consequences, and failures before warnings, whatever the order of the steps', () => {
    const steps = [
      step('verification', 'WARN', 'Verify.'),
      step('integration', 'WARN', 'Activate.'),
      step('subscriptions', 'FAIL', 'Subscribe.'),
      step('microsoft-policy', 'FAIL', 'Grant the policy.'),
      step('microsoft-mailbox', 'FAIL', 'Assign a licence.'),
      step('permissions', 'FAIL', 'Consent.'),
      step('microsoft-secret', 'FAIL', 'Make a secret.'),
      step('clock', 'FAIL', 'Set the clock.'),
    ];
    expect(recommendationsOf(steps)).toEqual([
      'Set the clock.',
      'Make a secret.',
      'Consent.',
      'Grant the policy.',
      'Assign a licence.',
      'Subscribe.',
      'Activate.',
      'Verify.',
    ]);
  });

  it('say the same thing once, where it is most urgent', () => {
    const steps = [
      step('meetings', 'WARN', 'Grant the policy. It takes half an hour.'),
      step('capture', 'WARN', 'Grant the policy. Then wait.'),
      step('microsoft-policy', 'FAIL', 'Grant the policy. With PowerShell.'),
    ];
    expect(recommendationsOf(steps)).toEqual(['Grant the policy.']);
  });

  it('are eight at the most, and only for what somebody should look at', () => {
    const many = Array.from({ length: 20 }, (_, n) => step(`microsoft-${n}`, 'FAIL', `Do ${n}.`));
    expect(recommendationsOf(many)).toHaveLength(8);
    expect(recommendationsOf([step('a', 'PASS', 'No.'), step('b', 'SKIP', 'No.'), step('c', 'FAIL', null)])).toEqual(
      [],
    );
  });

  it('put a step that nobody ranked last', () => {
    const steps = [step('of-tomorrow', 'FAIL', 'Later.'), step('verification', 'FAIL', 'Verify.')];
    expect(recommendationsOf(steps)).toEqual(['Verify.', 'Later.']);
  });
});

describe('the first sentence', () => {
  it.each([
    ['Do this. Then that.', 'Do this.'],
    ['Do this', 'Do this'],
    [
      'In Entra, add User.Read.All, Calendars.ReadWrite and consent. A new token…',
      'In Entra, add User.Read.All, Calendars.ReadWrite and consent.',
    ],
    ['Run A: Set-X -Identity Global -Y $true', 'Run A: Set-X -Identity Global -Y $true'],
    ['Set “Enabled?” to Yes. Done.', 'Set “Enabled?” to Yes.'],
    ['Wait 1.5 hours. “Now.”', 'Wait 1.5 hours.'],
  ])('of %j', (text, expected) => {
    expect(firstSentence(text)).toBe(expected);
  });
});

describe('a duration', () => {
  it.each([
    [0, '0 s'],
    [-3_000, '3 s'],
    [119_000, '119 s'],
    [180_000, '3 min'],
    [7_200_000, '2 h'],
    [30 * 86_400_000, '30 days'],
  ])('of %i ms reads %s', (milliseconds, words) => {
    expect(duration(milliseconds)).toBe(words);
  });
});
