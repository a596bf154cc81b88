import type { AppInput, DirectoryInput, UserInput, WorldDescription } from './control-types.ts';

const ROLES = [
  'Calendars.ReadWrite',
  'OnlineMeetings.ReadWrite.All',
  'OnlineMeetingRecording.Read.All',
  'OnlineMeetingTranscript.Read.All',
  'OnlineMeetingArtifact.Read.All',
  'User.Read.All',
];

/** One directory of the demo: its ids begin with the letter or digit of its pattern, so a mix-up shows at a glance. */
interface DemoDirectory {
  directory: DirectoryInput;
  app: AppInput;
  organizer: UserInput;
}

function demoDirectory(seed: {
  directoryId: string;
  domain: string;
  company: string;
  clientId: string;
  secret: string;
  organizerId: string;
  organizer: string;
}): DemoDirectory {
  return {
    directory: {
      id: seed.directoryId,
      domain: seed.domain,
      displayName: seed.company,
      graphTranscriptAccess: true,
      attributedTranscripts: true,
    },
    app: {
      directoryId: seed.directoryId,
      clientId: seed.clientId,
      displayName: `${seed.company} PSA meetings`,
      secrets: [{ value: seed.secret }],
      roles: ROLES,
    },
    organizer: {
      directoryId: seed.directoryId,
      id: seed.organizerId,
      userPrincipalName: seed.organizer,
      displayName: `${seed.company} scheduling`,
      teamsPolicyAppIds: [seed.clientId],
    },
  };
}

/**
 * Two directories, each set up completely: an app with all roles, an organizer with mailbox, Teams and policy, both
 * transcript switches on. The secrets open the simulator and nothing else.
 */
export function demoWorld(): WorldDescription {
  const demos = [
    demoDirectory({
      directoryId: '11111111-1111-4111-8111-111111111111',
      domain: 'acme.example',
      company: 'Acme',
      clientId: 'aaaaaaaa-0000-4000-8000-000000000001',
      secret: 'simulator-secret-tenant-a',
      organizerId: 'aaaaaaaa-0000-4000-8000-00000000000a',
      organizer: 'scheduling@acme.example',
    }),
    demoDirectory({
      directoryId: '22222222-2222-4222-8222-222222222222',
      domain: 'globex.example',
      company: 'Globex',
      clientId: 'bbbbbbbb-0000-4000-8000-000000000001',
      secret: 'simulator-secret-tenant-b',
      organizerId: 'bbbbbbbb-0000-4000-8000-00000000000b',
      organizer: 'meetings@globex.example',
    }),
  ];
  return {
    directories: demos.map((demo) => demo.directory),
    apps: demos.map((demo) => demo.app),
    users: demos.map((demo) => demo.organizer),
  };
}
