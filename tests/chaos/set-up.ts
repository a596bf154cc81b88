import { insist } from './operations.ts';
import type { Random } from './random.ts';
import type { ChaosWorld } from './world.ts';

/** Sets every tenant up as its administrator does. */
export async function setUp(world: ChaosWorld, random: Random): Promise<void> {
  for (const tenant of world.tenants) {
    const run = (query: string, input: object) => insist(world.replicas, random, tenant.admin, query, { input });
    await run(
      'mutation ($input: ConnectMicrosoftAppInput!) { connectMicrosoftApp(input: $input) { userErrors { code } } }',
      { clientId: tenant.clientId, directoryId: tenant.directoryId, clientSecret: tenant.secret },
    );
    for (const change of [{ organizerUserPrincipalName: tenant.organizer }, { installStatus: 'ACTIVE' }]) {
      await run(
        'mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { userErrors { code } } }',
        change,
      );
    }
  }
}
