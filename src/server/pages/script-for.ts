import type { SetupStep } from '../../services/setup-guide/setup-guide.ts';

/** Which command brings about what a check proves. Names of a diagnosis' steps have `microsoft-` before the check's. */
const COMMANDS: [checks: RegExp, command: string][] = [
  [/^(microsoft-)?(teams-)?policy$/, 'Grant-CsApplicationAccessPolicy'],
  [/^(microsoft-)?(exchange-scope|mailbox-outside)$/, 'New-ManagementRoleAssignment'],
  [/^(microsoft-)?transcript-(access|attribution|switches)$/, 'Set-CsTeamsMeetingConfiguration'],
];

/** The step of the set-up guide whose script mends what a check found; null where no script does. */
export function scriptFor(check: string, guide: readonly SetupStep[]): (SetupStep & { script: string }) | null {
  const command = COMMANDS.find(([checks]) => checks.test(check))?.[1];
  if (command === undefined) return null;
  for (const step of guide) {
    const { script } = step;
    if (script?.includes(command)) return { ...step, script };
  }
  return null;
}
