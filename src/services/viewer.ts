export const PERMISSIONS = [
  'teams_settings:read',
  'teams_settings:update',
  'teams_meeting:read',
  'teams_meeting:write',
  'teams_artifact:read',
  'teams_artifact:refresh',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** Who is asking, as the verified token says. A client user always has the client whose data bounds them. */
export type Viewer = {
  tenantId: string;
  /** The token's `sub`: the PSA's id of the user or service. */
  id: string;
  permissions: ReadonlySet<Permission>;
} & ({ kind: 'msp' } | { kind: 'service' } | { kind: 'client'; clientId: string; contactId: string | undefined });

export function may(viewer: Viewer, permission: Permission): boolean {
  return viewer.permissions.has(permission);
}
