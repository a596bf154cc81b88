/** npm run db:migrate: applies the migrations that the database lacks. */
import { loadMigrationUrl } from '../config.ts';
import { migrate } from '../db/migrations.ts';
import { withLocalDatabase } from './local-database.ts';
import { runCommand } from './run-command.ts';

async function run(url: string): Promise<void> {
  const applied = await migrate(url);
  console.log(
    applied.length === 0
      ? 'The database is up to date.'
      : `Applied ${applied.length}:\n${applied.map((name) => `  ${name}`).join('\n')}`,
  );
}

await runCommand(async () => {
  const url = loadMigrationUrl();
  if (url !== undefined) await run(url);
  else await withLocalDatabase(run);
});
