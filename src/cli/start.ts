/** npm start: the whole supergraph on this machine, until interrupted. */
import { join } from 'node:path';
import { loadDevelopmentConfig } from '../config.ts';
import { DATA_DIRECTORY, developmentSecrets, developmentToken } from './development-secrets.ts';
import { startLocalWorld } from './local-world.ts';
import { runCommand } from './run-command.ts';

await runCommand(async () => {
  const secrets = await developmentSecrets();
  const world = await startLocalWorld({
    config: loadDevelopmentConfig(),
    secrets,
    postgres: { directory: join(DATA_DIRECTORY, 'postgres'), persistent: true },
    quiet: false,
  });
  console.log(`
  gateway     ${world.gatewayUrl}
  subgraph    ${world.subgraphUrl}/graphql
  explorer    ${world.subgraphUrl}/
  simulator   ${world.simulatorUrl}
  postgres    ${world.databaseUrl}

Tokens for 12 hours, for the header "Authorization: Bearer …":
  admin       ${await developmentToken(secrets, { role: 'admin' })}
  technician  ${await developmentToken(secrets, { role: 'technician' })}
  client      ${await developmentToken(secrets, { role: 'client' })}

Stop with Ctrl+C.`);
  const interrupted = new Promise<null>((resolve) => {
    process.once('SIGINT', () => resolve(null));
    process.once('SIGTERM', () => resolve(null));
  });
  const broken = await Promise.race([interrupted, world.broken]);
  await world.stop();
  if (broken !== null) throw new Error(`${broken} has ended by itself.`);
});
