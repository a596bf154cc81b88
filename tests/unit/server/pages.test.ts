import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from '../../../src/server/pages/html.ts';
import { scriptFor } from '../../../src/server/pages/script-for.ts';

describe('a piece of a page', () => {
  it('takes text as text, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const { text: written } = html`<p title="${text}">${text}</p>`;
        const [, title = '', content = ''] = /^<p title="([^"]*)">([^<]*)<\/p>$/.exec(written) ?? [];
        const read = (escaped: string) =>
          escaped
            .replaceAll('&lt;', '<')
            .replaceAll('&gt;', '>')
            .replaceAll('&quot;', '"')
            .replaceAll('&#39;', "'")
            .replaceAll('&amp;', '&');
        expect([read(title), read(content)]).toEqual([text, text]);
      }),
    );
  });

  it('takes other pieces as they are, in a list too, and nothing for null', () => {
    const items = ['<a>', 'b'].map((name) => html`<li>${name}</li>`);
    expect(html`<ul>${items}</ul>${null}${3}`.text).toBe('<ul><li>&lt;a&gt;</li><li>b</li></ul>3');
  });

  it('does not take text for a piece because it looks like one', () => {
    const looksLike = JSON.parse('{"text":"<script>"}');
    expect(html`${String(looksLike)}`.text).toBe('[object Object]');
  });
});

describe('the script beside a check', () => {
  const step = (number: number, script: string | null) => ({
    number,
    title: `Step ${number}`,
    instructions: '',
    script,
    status: 'FAIL' as const,
  });
  const guide = [
    step(1, null),
    step(2, 'Connect-ExchangeOnline\nNew-ManagementRoleAssignment -App x'),
    step(3, "Grant-CsApplicationAccessPolicy -PolicyName 'x'"),
    step(4, 'Set-CsTeamsMeetingConfiguration -Identity Global'),
  ];

  it.each([
    ['policy', 3],
    ['microsoft-policy', 3],
    ['mailbox', undefined],
    ['meeting', undefined],
    ['exchange-scope', 2],
    ['microsoft-mailbox-outside', 2],
    ['transcript-access', 4],
    ['microsoft-transcript-attribution', 4],
    ['organizer', undefined],
    ['roles', undefined],
    ['organizer-licence', undefined],
  ])('of %s is that of step %s', (check, number) => {
    expect(scriptFor(check, guide)?.number).toBe(number);
  });

  it('is none where the guide has none', () => {
    expect(scriptFor('policy', [step(1, null)])).toBeNull();
  });
});
