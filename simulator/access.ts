import { GraphFailure, teamsForbidden, teamsNotFound } from './errors.ts';
import type { GraphCall, UserRoute } from './graph-call.ts';
import type { User } from './state.ts';
import { findUser } from './state.ts';

const OBJECT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The checks between the token and the item, in the order token, role, user, Exchange scope and mailbox or Teams
 * policy. The order is an assumption: Microsoft does not document it. Throws the `GraphFailure` of the first that fails.
 */
export function authorize(call: GraphCall, route: UserRoute): User {
  checkRole(call, route);
  const user = userInPath(call, route);
  if (route.area === 'exchange') checkMailbox(call, user);
  if (route.area === 'onlineMeetings') checkTeamsPolicy(call, user, route);
  return user;
}

/**
 * The call with what Exchange itself grants the app for the mailbox in the path (RBAC for Applications), beside what its
 * token carries. Source: the Exchange page on role based access control for applications.
 */
export function withExchangeRoles(call: GraphCall, route: UserRoute): GraphCall {
  const user = findUser(call.world, call.directory.id, call.params.user ?? '');
  if (route.area !== 'exchange' || !user?.exchangeRoleAppIds.includes(call.caller.appId)) return call;
  return { ...call, caller: { ...call.caller, roles: new Set([...call.caller.roles, 'Calendars.ReadWrite']) } };
}

function checkRole(call: GraphCall, route: UserRoute): void {
  if (route.roles.some((role) => call.caller.roles.has(role))) return;
  switch (route.area) {
    case 'directory':
      throw new GraphFailure(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
    case 'exchange':
      throw new GraphFailure(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
    case 'onlineMeetings':
      throw teamsForbidden(
        `Application is missing required permissions. Application requires one of: ${route.roles.join(', ')}.`,
      );
  }
}

function userInPath(call: GraphCall, route: UserRoute): User {
  const name = call.params.user ?? '';
  // The Teams services look the policy up by object id; a userPrincipalName is not documented for them.
  if (route.area === 'onlineMeetings' && !OBJECT_ID.test(name)) throw teamsNotFound('Resource not found.');
  const user = findUser(call.world, call.directory.id, name);
  if (user !== undefined) return user;
  if (route.area === 'exchange') {
    throw new GraphFailure(404, 'ErrorInvalidUser', `The requested user '${name}' is invalid.`);
  }
  throw new GraphFailure(
    404,
    'Request_ResourceNotFound',
    `Resource '${name}' does not exist or one of its queried reference-property objects are not present.`,
  );
}

function checkMailbox(call: GraphCall, user: User): void {
  if (user.exchangeScopeAppIds !== 'every' && !user.exchangeScopeAppIds.includes(call.caller.appId)) {
    throw new GraphFailure(
      403,
      'ErrorAccessDenied',
      'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.',
    );
  }
  if (!user.hasMailbox) {
    throw new GraphFailure(
      404,
      'MailboxNotEnabledForRESTAPI',
      'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
    );
  }
}

/** One policy per user; the global one counts only for users without their own. Source: application access policy. */
function checkTeamsPolicy(call: GraphCall, user: User, route: UserRoute): void {
  if (isCoveredByPolicy(call, user)) return;
  throw teamsForbidden(route.policyText?.(user) ?? 'No application access policy found for this app');
}

/** Whether the Teams application access policy lets the calling app act for the user. */
export function isCoveredByPolicy(call: GraphCall, user: User): boolean {
  const allowed = user.teamsPolicyAppIds === 'global' ? call.directory.globalTeamsPolicyAppIds : user.teamsPolicyAppIds;
  return allowed.includes(call.caller.appId);
}
