import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { doubleQuoted, equalsInFilter, quoted, visible } from '../../../src/services/setup-guide/power-shell.ts';
import {
  accessPolicyScript,
  organizerGroup,
  roleAssignmentScript,
  type ScriptValues,
  teamsPolicyScript,
  transcriptSwitchesScript,
} from '../../../src/services/setup-guide/scripts.ts';
import { readCommands, readFilter } from './power-shell-grammar.ts';

/** Every character that means something to PowerShell or OPATH, what looks like it, and some that mean nothing. */
const SPECIAL = [
  ...'\'"`$(){}[];|&<>#@,-=%*?!\\/:._ \t\n\r\0',
  ...'\u2018\u2019\u201A\u201B\u201C\u201D\u201E\u2013\u2014\u2015\u0085\u2028\u2029\u202E\u200B\uFEFF',
  ...'aZ0é漢😀',
];
const PIECES = ['$(Remove-Item *)', "'; Remove-Item *; '", '"; Remove-Item *; "', '`"', "@'\n", "\n'@", '<#', '#>'];
const hostile = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...SPECIAL) }, fc.constantFrom(...PIECES), fc.string()), {
    maxLength: 30,
  })
  .map((parts) => parts.join(''));

const VALUES: ScriptValues = {
  cloud: 'GLOBAL',
  clientId: '11111111-1111-4111-8111-111111111111',
  servicePrincipalId: '22222222-2222-4222-8222-222222222222',
  organizer: 'meetings@msp.example',
};
const SCRIPTS = { roleAssignmentScript, accessPolicyScript, teamsPolicyScript, transcriptSwitchesScript };

/** A script without its values: names of commands and parameters, and how many arguments there are in between. */
const shapeOf = (script: string) =>
  readCommands(script).map((command) =>
    command.map(({ value, isParameter }, index) => (index === 0 || isParameter ? value : 'value')),
  );

describe('the grammar that the tests read by', () => {
  it.each([
    [`Do-It -Name 'a b'`, [['Do-It', '-Name', 'a b']]],
    [`Do-It 'it''s'`, [['Do-It', "it's"]]],
    ['Do-It ‘a’‘b’', [['Do-It', 'a’b']]],
    ['Do-It "a`"b""c`$d"', [['Do-It', 'a"b"c$d']]],
    ['Do-It; Do-That\nDo-More', [['Do-It'], ['Do-That'], ['Do-More']]],
    [`Do-It 'a\nb'`, [['Do-It', 'a\nb']]],
    [`Do-It @{Add='a}''b'} 'c'`, [['Do-It', "@{Add=a}'b}", 'c']]],
  ])('reads %j', (script, commands) => {
    expect(readCommands(script).map((command) => command.map(({ value }) => value))).toEqual(commands);
  });

  it.each(['Do-It "$x"', 'Do-It "$(x)"', 'Do-It "$' + '{x}"', 'Do-It $x', 'Do-It “$x”'])(
    'sees that %s is evaluated',
    (s) => {
      expect(readCommands(s).flat()).toContainEqual(expect.objectContaining({ isEvaluated: true }));
    },
  );

  it.each([
    "Do-It 'a",
    'Do-It "a',
    'Do-It | x',
    'Do-It (x)',
    '# x',
    "@'\nx\n'@",
    "Do-It 'a' # b",
    'Do-It `\nx',
    '@{x}',
    "Do-It @{Add='a'; Remove='b'}",
    'Do-It @{Add=a}',
  ])('refuses %j', (script) => {
    expect(() => readCommands(script)).toThrow();
  });

  it.each(["A -eq 'b' -or C -eq 'd'", "A -eq 'b’ -or C -eq 'd'", "A -like 'b'", 'A -eq b', "A -eq 'b"])(
    'refuses the filter %j',
    (filter) => {
      expect(() => readFilter(filter)).toThrow();
    },
  );
});

describe('a hostile text', () => {
  it('in single quotation marks is one argument, itself', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(readCommands(`Do-It -Name ${quoted(text)} -Next 'x'`)).toEqual([
          [
            { value: 'Do-It', isParameter: false, isEvaluated: false },
            { value: '-Name', isParameter: true, isEvaluated: false },
            { value: visible(text), isParameter: false, isEvaluated: false },
            { value: '-Next', isParameter: true, isEvaluated: false },
            { value: 'x', isParameter: false, isEvaluated: false },
          ],
        ]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('in double quotation marks is one argument, itself, and nothing of it is evaluated', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(readCommands(`Do-It ${doubleQuoted(text)} 'x'`)[0]).toEqual([
          { value: 'Do-It', isParameter: false, isEvaluated: false },
          { value: visible(text), isParameter: false, isEvaluated: false },
          { value: 'x', isParameter: false, isEvaluated: false },
        ]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('in a filter in a string comes through both layers as the one value that is compared', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const [command] = readCommands(`Do-It ${doubleQuoted(equalsInFilter('UserPrincipalName', text))}`);
        expect(command).toHaveLength(2);
        expect(command?.[1]?.isEvaluated).toBe(false);
        expect(readFilter(command?.[1]?.value ?? '')).toEqual({ property: 'UserPrincipalName', value: visible(text) });
      }),
      { numRuns: 3_000 },
    );
  });

  it('loses only what cannot be seen', () => {
    fc.assert(fc.property(fc.stringMatching(/^[ -~]*$/), (text) => visible(text) === text));
    expect(visible('a\r\nb\u0000c\u202Ed\u2028e\u200Bf\uD800g')).toBe('abcdefg');
  });
});

describe.each(Object.entries(SCRIPTS))('%s', (_name, script) => {
  it('has the same commands whatever anybody is called', () => {
    const shape = shapeOf(script(VALUES));
    fc.assert(
      fc.property(hostile, hostile, hostile, (clientId, servicePrincipalId, organizer) => {
        const made = script({ ...VALUES, clientId, servicePrincipalId, organizer });
        expect(shapeOf(made)).toEqual(shape);
        expect(
          readCommands(made)
            .flat()
            .some(({ isEvaluated }) => isEvaluated),
        ).toBe(false);
        expect(made.split('\n')).toHaveLength(shape.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('has the same commands where nothing is known yet', () => {
    const nothing = { cloud: 'GLOBAL', clientId: null, servicePrincipalId: null, organizer: null } as const;
    expect(shapeOf(script(nothing))).toEqual(shapeOf(script(VALUES)));
  });
});

describe('the values in the scripts', () => {
  /** What follows a parameter of a command. */
  function argumentAfter(script: string, command: string, parameter: string): string | undefined {
    const found = readCommands(script).find(([name]) => name?.value === command);
    return found?.[found.findIndex(({ value }) => value === parameter) + 1]?.value;
  }

  it('are the organizer and its group as they are called', () => {
    fc.assert(
      fc.property(hostile, (organizer) => {
        const values = { ...VALUES, organizer };
        const filter = argumentAfter(
          roleAssignmentScript(values),
          'New-ManagementScope',
          '-RecipientRestrictionFilter',
        );
        expect(readFilter(filter ?? '').value).toBe(visible(organizer));
        const policy = accessPolicyScript(values);
        expect(argumentAfter(policy, 'Test-ApplicationAccessPolicy', '-Identity')).toBe(visible(organizer));
        expect(argumentAfter(policy, 'New-ApplicationAccessPolicy', '-PolicyScopeGroupId')).toBe(
          organizerGroup(values),
        );
        expect(argumentAfter(teamsPolicyScript(values), 'Grant-CsApplicationAccessPolicy', '-Identity')).toBe(
          visible(organizer),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    [roleAssignmentScript, 'New-ManagementScope', 'Set-ManagementScope', '-RecipientRestrictionFilter'],
    [accessPolicyScript, 'New-DistributionGroup', 'Add-DistributionGroupMember', '-Member'],
    [teamsPolicyScript, 'New-CsApplicationAccessPolicy', 'Set-CsApplicationAccessPolicy', '-AppIds'],
  ])('reach what was made for another organizer or app before (%o)', (script, makes, changes, parameter) => {
    const text = script(VALUES);
    const commands = readCommands(text).map((command) => command.map(({ value }) => value));
    const [made = [], changed = []] = [makes, changes].map((name) => commands.find(([first]) => first === name));
    expect(made.slice(-2)).toEqual(['-ErrorAction', 'SilentlyContinue']);
    expect(commands.indexOf(changed)).toBeGreaterThan(commands.indexOf(made));
    expect(argumentAfter(text, changes, parameter)).toMatch(
      /meetings@msp\.example|11111111-1111-4111-8111-111111111111/,
    );
  });

  it.each([
    ['GLOBAL', undefined, undefined],
    ['US_GOV_L4', 'O365USGovGCCHigh', 'TeamsGCCH'],
    ['US_GOV_L5', 'O365USGovDoD', 'TeamsDOD'],
    ['CHINA', 'O365China', 'TeamsChina'],
  ] as const)('of the cloud %s name its environments', (cloud, exchange, teams) => {
    const values = { ...VALUES, cloud };
    const first = (script: string) => readCommands(script)[0]?.map(({ value }) => value);
    const connects = (name: string, parameter: string, environment: string | undefined) =>
      environment === undefined ? [name] : [name, parameter, environment];
    for (const script of [roleAssignmentScript, accessPolicyScript]) {
      expect(first(script(values))).toEqual(connects('Connect-ExchangeOnline', '-ExchangeEnvironmentName', exchange));
    }
    for (const script of [teamsPolicyScript, transcriptSwitchesScript]) {
      expect(first(script(values))).toEqual(connects('Connect-MicrosoftTeams', '-TeamsEnvironmentName', teams));
    }
  });
});
