import { z } from 'zod';
import { readPlanner } from './call.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphClient, GraphUser } from './types.ts';
import { optionalText } from './wire.ts';

const READ_ROLES = [
  'User.ReadBasic.All',
  'User.Read.All',
  'User.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
];

/**
 * `Warning` is a licence whose grace period runs. Microsoft Learn: resources/assignedplan; its pages do not list the
 * values of `service`, this is the one that has been seen for every plan of Teams.
 */
const TEAMS_SERVICE = 'TeamspaceAPI';
const ACTIVE: ReadonlySet<string> = new Set(['Enabled', 'Warning']);

const assignedPlan = z.object({ service: optionalText, capabilityStatus: optionalText });

const user: z.ZodType<GraphUser> = z
  .object({
    id: z.string(),
    userPrincipalName: z.string(),
    displayName: optionalText,
    mail: optionalText,
    accountEnabled: z
      .boolean()
      .nullish()
      .transform((value) => value ?? null),
    assignedPlans: z.array(assignedPlan).nullish(),
  })
  .transform(({ assignedPlans, ...rest }) => ({ ...rest, hasTeamsPlan: hasTeamsPlan(assignedPlans ?? null) }));

function hasTeamsPlan(plans: z.infer<typeof assignedPlan>[] | null): boolean | null {
  if (plans === null) return null;
  return plans.some(({ service, capabilityStatus }) => service === TEAMS_SERVICE && ACTIVE.has(capabilityStatus ?? ''));
}

const FIELDS = 'id,userPrincipalName,displayName,mail,accountEnabled,assignedPlans';

const plan = readPlanner('directory', READ_ROLES);

/** Users of the directory. Microsoft Learn: user-get. */
export function usersClient(requests: GraphRequests): GraphClient['users'] {
  return {
    get: async (userId, options) => {
      const { path, template } = graphPath('/users/{user}', { user: userId });
      const selected = { path: `${path}?$select=${FIELDS}`, template };
      return requests.json(plan('users.get', userId, selected, options), user);
    },
  };
}
