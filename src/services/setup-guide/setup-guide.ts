import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { REQUIRED_PERMISSIONS } from '../microsoft-app/permissions.ts';
import type { Scope } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import type { CheckStatus } from '../verification/checklist.ts';

export interface SetupStep {
  number: number;
  title: string;
  instructions: string;
  script: string | null;
  status: CheckStatus;
}

export interface SetupGuideService {
  /** The steps of the set-up with this tenant's values; each status comes from the settings and the last verification. */
  get(scope: Scope): Promise<SetupStep[]>;
}

/** PowerShell's single-quoted string, in which only the quote itself (and its typographic kin) has a meaning. */
export function quotePowerShell(text: string): string {
  return `'${text.replace(/[\p{Cc}]/gu, '').replace(/['\u2018\u2019\u201A\u201B]/g, '$&$&')}'`;
}

/** The inside of PowerShell's double-quoted string, which typographic double quotes end as well. */
function escapeInDoubleQuotes(text: string): string {
  return text.replace(/[`"$\u201C\u201D\u201E]/g, '`$&');
}

export function createSetupGuideService(
  microsoftApp: MicrosoftAppService,
  settings: SettingsService,
): SetupGuideService {
  return {
    async get(scope) {
      const [app, current, verification] = await Promise.all([
        microsoftApp.find(scope),
        settings.find(scope),
        settings.latestVerification(scope),
      ]);
      const checks = verification?.checks ?? [];
      const statusOf = (name: string): CheckStatus => checks.find((check) => check.name === name)?.status ?? 'SKIP';
      const done = (condition: boolean): CheckStatus => (condition ? 'PASS' : 'SKIP');
      const appId = quotePowerShell(app?.clientId ?? '<client id of the app registration>');
      const organizer = quotePowerShell(current?.organizerUpn ?? '<user principal name of the organizer>');
      const steps: Omit<SetupStep, 'number'>[] = [
        {
          title: 'Connect the Microsoft app registration',
          instructions:
            'Register an app in Entra, create a client secret or upload a certificate, and run connectMicrosoftApp.',
          script: null,
          status: done(app !== null),
        },
        {
          title: 'Grant the Microsoft Graph application permissions',
          instructions: `Under “API permissions”, add ${REQUIRED_PERMISSIONS.map(({ name }) => name).join(', ')} and grant admin consent.`,
          script: null,
          status: statusOf('roles'),
        },
        {
          title: 'Limit the calendar permission to the organizer',
          instructions: 'In Exchange Online, scope the app to the mailbox of the organizer with RBAC for Applications.',
          script: [
            'Connect-ExchangeOnline',
            `New-ServicePrincipal -AppId ${appId} -ObjectId '<object id of the enterprise application>' -DisplayName 'Teams meetings'`,
            `New-ManagementScope -Name 'Teams meetings organizer' -RecipientRestrictionFilter "UserPrincipalName -eq ${escapeInDoubleQuotes(organizer)}"`,
            `New-ManagementRoleAssignment -App ${appId} -Role 'Application Calendars.ReadWrite' -CustomResourceScope 'Teams meetings organizer'`,
          ].join('\n'),
          status: statusOf('exchange-scope'),
        },
        {
          title: 'Let the app act for the organizer in Teams',
          instructions: 'Create and grant a Teams application access policy, then wait up to 30 minutes.',
          script: [
            'Connect-MicrosoftTeams',
            `New-CsApplicationAccessPolicy -Identity 'Teams-Meetings' -AppIds ${appId}`,
            `Grant-CsApplicationAccessPolicy -PolicyName 'Teams-Meetings' -Identity ${organizer}`,
          ].join('\n'),
          status: statusOf('policy'),
        },
        {
          title: 'Let apps read transcripts',
          instructions: 'Both switches are off by default since July 2026.',
          script:
            'Set-CsTeamsMeetingConfiguration -Identity Global -EnableGraphTranscriptAccess $true -EnableAttributedTranscripts $true',
          status: statusOf('transcript-access'),
        },
        {
          title: 'Save the organizer and activate',
          instructions: 'Run updateTeamsSettings with organizerUserPrincipalName, then with installStatus ACTIVE.',
          script: null,
          status: done(current?.installStatus === 'ACTIVE'),
        },
        {
          title: 'Verify',
          instructions: 'Run verifyTeamsOrganizer: it makes and removes a short meeting.',
          script: null,
          status: verification === null ? 'SKIP' : verification.outcome === 'VERIFIED' ? 'PASS' : 'FAIL',
        },
      ];
      return steps.map((step, index) => ({ ...step, number: index + 1 }));
    },
  };
}
