import type { Scope, ServiceTools } from '../../scope.ts';
import type { SettingsService } from '../../settings/settings.ts';
import { POLICY_SETTLES_MS } from './retry-policy.ts';

/** Whether the set-up was proved to work so recently that a policy may not have arrived everywhere. */
export async function isFreshlyVerified(
  scope: Scope,
  settings: Pick<SettingsService, 'latestVerification'>,
  tools: Pick<ServiceTools, 'clock'>,
): Promise<boolean> {
  const latest = await settings.latestVerification(scope);
  return latest?.outcome === 'VERIFIED' && tools.clock().getTime() - latest.ranAt.getTime() < POLICY_SETTLES_MS;
}
