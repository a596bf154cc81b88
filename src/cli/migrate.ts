/**
 * npm run db:migrate: applies the migrations that the database lacks, and lets the server's login in. After one failed
 * half-way and somebody looked: `-- --rolled-back NAME` or `-- --applied NAME` says what is true of it.
 */
import { parseArgs } from 'node:util';
import { loadMigrationUrls } from '../config.ts';
import { admitLogin } from '../db/application-role.ts';
import { migrate, resolveMigration } from '../db/migrations.ts';
import { withLocalDatabase } from './local-database.ts';
import { runCommand } from './run-command.ts';

async function apply({ url, applicationUrl }: { url: string; applicationUrl: string }): Promise<void> {
  const applied = await migrate(url, { tell: (line) => console.log(line) });
  console.log(
    applied.length === 0
      ? 'The database is up to date.'
      : `Applied ${applied.length}:\n${applied.map((name) => `  ${name}`).join('\n')}`,
  );
  await admitLogin(url, applicationUrl);
}

await runCommand(async () => {
  const { values } = parseArgs({ options: { 'rolled-back': { type: 'string' }, applied: { type: 'string' } } });
  const [outcome, name] = Object.entries(values)[0] ?? [];
  const run = async (urls: { url: string; applicationUrl: string }) => {
    if (name === undefined) return apply(urls);
    await resolveMigration(urls.url, name, outcome === 'applied' ? 'applied' : 'rolled-back');
    console.log(`Noted: ${name} is ${outcome}.`);
  };
  const urls = loadMigrationUrls();
  if (urls !== undefined) await run(urls);
  else await withLocalDatabase(run);
});
