/** npm run db:migrate: applies the migrations that the database lacks, and lets the server's login in. */
import { loadMigrationUrls } from '../config.ts';
import { admitLogin } from '../db/application-role.ts';
import { migrate } from '../db/migrations.ts';
import { withLocalDatabase } from './local-database.ts';
import { runCommand } from './run-command.ts';

async function run({ url, applicationUrl }: { url: string; applicationUrl: string }): Promise<void> {
  const applied = await migrate(url);
  console.log(
    applied.length === 0
      ? 'The database is up to date.'
      : `Applied ${applied.length}:\n${applied.map((name) => `  ${name}`).join('\n')}`,
  );
  await admitLogin(url, applicationUrl);
}

await runCommand(async () => {
  const urls = loadMigrationUrls();
  if (urls !== undefined) await run(urls);
  else await withLocalDatabase(run);
});
