import type { DevelopmentHelp } from '../server/routes/explorer.ts';
import { CLIENT_ID, DIRECTORY_ID, ORGANIZER, SECRET } from './demo-stage.ts';
import { developmentSecrets, developmentToken } from './development-secrets.ts';

const ROLES = ['admin', 'technician', 'client'] as const;

/**
 * What the explorer of a development world may have: tokens signed with the machine's own keys, and the values of the
 * simulator's demo tenant.
 *
 * @param directory where the development secrets are
 */
export async function developmentHelp(directory?: string): Promise<DevelopmentHelp> {
  const secrets = await developmentSecrets(directory);
  return {
    roles: ROLES,
    async tokenFor(wanted) {
      const role = ROLES.find((name) => name === wanted);
      return role === undefined ? null : developmentToken(secrets, { role });
    },
    demo: {
      clientId: CLIENT_ID,
      directoryId: DIRECTORY_ID,
      clientSecret: SECRET,
      organizer: ORGANIZER,
      appointmentId: 'appt-a-1',
      clientOfMeeting: 'client-acme',
      attendee: 'jane@acme.example',
    },
  };
}
