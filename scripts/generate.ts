/** Writes everything under src/generated from schema.graphql, prisma/schema.prisma and the mail's template. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

// Prisma's command line looks for its native schema engine, which generating does not need and which would be
// downloaded; any executable passes the check.
const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' };

/** Runs a tool of node_modules and returns what it printed; ends the process when it fails. */
function run(tool: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`node_modules/${tool}`, ...args], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.stderr.write(stdout + stderr);
    process.exit(status ?? 1);
  }
  return stdout;
}

run('prisma/build/index.js', 'generate', '--no-hints');
run('@graphql-codegen/cli/esm/bin.js', '--silent');
// Compiled here and not when a mail is sent: MJML and what it needs stay out of production.
const template = 'src/services/invitations/invitation.mjml';
const html = run('mjml/bin/mjml', template, '--stdout', '--noStdoutFileComment', '--config.validationLevel=strict');
writeFileSync(
  'src/generated/invitation-html.ts',
  `/** Made from ${template}. */\nexport const INVITATION_HTML = ${JSON.stringify(html)};\n`,
);
