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

const user: z.ZodType<GraphUser> = z.object({
  id: z.string(),
  userPrincipalName: z.string(),
  displayName: optionalText,
  mail: optionalText,
  accountEnabled: z
    .boolean()
    .nullish()
    .transform((value) => value ?? null),
});

const plan = readPlanner('directory', READ_ROLES);

/** Users of the directory. Microsoft Learn: user-get. */
export function usersClient(requests: GraphRequests): GraphClient['users'] {
  return {
    get: async (userId, options) => {
      const { path, template } = graphPath('/users/{user}', { user: userId });
      const selected = { path: `${path}?$select=id,userPrincipalName,displayName,mail,accountEnabled`, template };
      return requests.json(plan('users.get', userId, selected, options), user);
    },
  };
}
