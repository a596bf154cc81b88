/** npm run token -- --role admin|technician|client|service [--tenant T] [--client C] [--contact K]: one development JWT. */
import { parseArgs } from 'node:util';
import { developmentSecrets, developmentToken, ROLES, type Role } from './development-secrets.ts';
import { runCommand } from './run-command.ts';

const USAGE = 'Usage: npm run token -- --role admin|technician|client|service [--tenant T] [--client C] [--contact K]';

function isRole(text: string | undefined): text is Role {
  return text !== undefined && Object.hasOwn(ROLES, text);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        role: { type: 'string' },
        tenant: { type: 'string' },
        client: { type: 'string' },
        contact: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}.\n${USAGE}`, { cause: error });
  }
}

await runCommand(async () => {
  const { role, tenant, client, contact } = readOptions();
  if (!isRole(role)) throw new Error(`--role is missing or unknown.\n${USAGE}`);
  if (role !== 'client' && (client ?? contact) !== undefined)
    throw new Error(`--client and --contact belong to --role client.\n${USAGE}`);
  process.stdout.write(`${await developmentToken(await developmentSecrets(), { role, tenant, client, contact })}\n`);
});
