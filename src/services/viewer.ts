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

/**
 * Who acts when a job does what somebody asked for earlier: everything in the tenant is open to it.
 *
 * @param id what the audit trail names as the actor
 */
export function backgroundViewer(tenantId: string, id = 'background'): Viewer {
  return { tenantId, id, kind: 'service', permissions: new Set(PERMISSIONS) };
}
