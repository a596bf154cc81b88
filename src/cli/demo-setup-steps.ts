import { ask, hold, simulate } from './demo-client.ts';
import { CLIENT_ID, DIRECTORY_ID, ORGANIZER, type Stage, type Step } from './demo-stage.ts';

const VERIFY =
  'mutation { verifyTeamsOrganizer { verification { outcome checks { name status } } userErrors { code message } } }';
const DIAGNOSE =
  'mutation { runTeamsDiagnostics { report { overall steps { name title status remedy } recommendations } userErrors { code message } } }';
const GUIDE = 'query { teamsSetupGuide { steps { title script status } } }';

interface Verified {
  verifyTeamsOrganizer: { verification: { outcome: string; checks: { name: string; status: string }[] } };
}

interface Diagnosed {
  runTeamsDiagnostics: {
    report: {
      overall: string;
      steps: { name: string; title: string; status: string; remedy: string | null }[];
      recommendations: string[];
    };
  };
}

interface Guided {
  teamsSetupGuide: { steps: { title: string; script: string | null; status: string }[] };
}

/** A set-up that is proved, breaks, is diagnosed, mended by the guide's script, and proved again. */
export function setupSteps({ gatewayUrl, simulatorUrl, tokens }: Stage): Step[] {
  const verify = async () => (await ask<Verified>(gatewayUrl, tokens.admin, VERIFY)).verifyTeamsOrganizer.verification;
  const grantPolicy = (teamsPolicyAppIds: string[]) =>
    simulate(simulatorUrl, 'updateUser', {
      directoryId: DIRECTORY_ID,
      user: ORGANIZER,
      change: { teamsPolicyAppIds },
    });
  return [
    {
      title: 'The organizer is verified',
      async run() {
        const { outcome, checks } = await verify();
        hold(outcome === 'VERIFIED', `the outcome is ${outcome}`);
        return `${outcome}: ${checks.filter(({ status }) => status === 'PASS').length} checks passed, and a meeting was made and removed`;
      },
    },
    {
      title: 'Somebody takes the Teams policy away: one diagnosis names it and what to do',
      async run() {
        await grantPolicy([]);
        const { report } = (await ask<Diagnosed>(gatewayUrl, tokens.admin, DIAGNOSE)).runTeamsDiagnostics;
        const red = report.steps.filter(({ status }) => status === 'FAIL');
        hold(
          red.length === 1 && red[0]?.remedy,
          `these steps failed: ${red.map(({ name }) => name).join(', ') || 'none'}`,
        );
        return `${report.overall}: ${red[0].title}. ${red[0].remedy}`;
      },
    },
    {
      title: 'The policy is granted again, as the setup guide’s script does, and the organizer is verified',
      async run() {
        const { steps } = (await ask<Guided>(gatewayUrl, tokens.admin, GUIDE)).teamsSetupGuide;
        const broken = steps.find(({ script }) => script?.includes('Grant-CsApplicationAccessPolicy'));
        hold(broken?.status === 'FAIL', `the guide says ${broken?.status} of the policy`);
        hold(broken.script?.includes(CLIENT_ID) && broken.script.includes(ORGANIZER), 'the script lacks the ids');
        await grantPolicy([CLIENT_ID]);
        const { outcome } = await verify();
        hold(outcome === 'VERIFIED', `the outcome is ${outcome}`);
        return `${outcome}; the script held the ids of the app and the organizer`;
      },
    },
  ];
}
