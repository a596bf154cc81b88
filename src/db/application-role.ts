import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { APPLICATION_ROLE } from './names.ts';

/** The application cannot be let in by this role; the message has the SQL that somebody else has to run. */
export class ApplicationRoleError extends Error {
  override readonly name = 'ApplicationRoleError';
}

/**
 * What the migrations grant, granted again: they run once, and the role may have come later. Of a table the application
 * gets what its policies speak of, so that the audit trail stays append-only.
 */
const GRANT_TO_THE_APPLICATION = `
DO $$
DECLARE
  app constant text := '${APPLICATION_ROLE}';
  t record;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', app);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN RETURN;
    END;
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), app);
  EXECUTE format('GRANT SELECT ON _prisma_migrations TO %I', app);
  -- What counts over all tenants, for the operator; a database of an older release lacks some.
  FOR t IN
    SELECT to_regprocedure(counts) AS name FROM unnest(ARRAY['secret_keys_in_use()', 'count_meetings_by_state()']) AS counts
     WHERE to_regprocedure(counts) IS NOT NULL
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', t.name, app);
  END LOOP;
  FOR t IN
    SELECT c.oid::regclass AS name,
           string_agg(DISTINCT CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                             WHEN 'd' THEN 'DELETE' ELSE 'SELECT, INSERT, UPDATE, DELETE' END, ', ') AS commands
      FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relrowsecurity AND p.polroles = '{0}'
     GROUP BY c.oid
  LOOP
    EXECUTE format('GRANT %s ON %s TO %I', t.commands, t.name, app);
  END LOOP;
END $$`;

async function connected<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Makes the role that row security is written for, unless this role may not make roles, and grants it what it needs of
 * the tables. Safe to repeat.
 *
 * @param ownerUrl of the role that owns the tables
 */
export function grantToApplication(ownerUrl: string): Promise<void> {
  return connected(ownerUrl, async (client) => void (await client.query(GRANT_TO_THE_APPLICATION)));
}

/**
 * What Postgres keeps of a password, so that the password itself stands in no statement and in no log of them
 * (RFC 5803; PostgreSQL manual, CREATE ROLE: PASSWORD takes an encrypted one as it is).
 */
function scramVerifier(password: string): string {
  const [salt, iterations] = [randomBytes(16), 4096];
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}

const PLAIN_LOGIN = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';

function createLogin(name: string, password: string | undefined | null): { sql: string; told: string } {
  const create = (secret: string) => `CREATE ROLE ${name} ${PLAIN_LOGIN} PASSWORD ${secret}`;
  return { sql: create(password ? `'${scramVerifier(password)}'` : 'NULL'), told: create("'…'") };
}

/** Somebody else made the role or the membership at the same moment. */
const MADE_ALREADY = new Set(['42710', '23505', 'XX000']);
const INSUFFICIENT_PRIVILEGE = '42501';

/** @returns false where this role may not do that */
async function isDone(client: pg.Client, sql: string): Promise<boolean> {
  try {
    await client.query(sql);
    return true;
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
    if (code === INSUFFICIENT_PRIVILEGE) return false;
    if (MADE_ALREADY.has(code)) return true;
    throw error;
  }
}

/**
 * Lets the login of the server into the tables: makes it where there is none, with the password of its URL, and makes it
 * a member of the application role. An existing login keeps its password. Nothing is done where both URLs log in as the
 * same role. Safe to repeat, also by a role that may not make roles, once it is done.
 *
 * @param ownerUrl of the role that owns the tables
 * @param applicationUrl of the login that serves
 * @throws ApplicationRoleError when this role may not do that; its message has the SQL for one that may
 */
export async function admitLogin(ownerUrl: string, applicationUrl: string): Promise<void> {
  const { user: login = '', password } = new pg.Client({ connectionString: applicationUrl });
  if (login === new pg.Client({ connectionString: ownerUrl }).user) return;
  const [name, role] = [pg.escapeIdentifier(login), pg.escapeIdentifier(APPLICATION_ROLE)];

  await connected(ownerUrl, async (client) => {
    const { rows } = await client.query<{ there: boolean; role: boolean; member: boolean | null }>(
      `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS there, EXISTS (SELECT FROM pg_roles WHERE rolname = $2) AS role,
              (SELECT pg_has_role(l.oid, a.oid, 'MEMBER') FROM pg_roles l, pg_roles a WHERE l.rolname = $1 AND a.rolname = $2) AS member`,
      [login, APPLICATION_ROLE],
    );
    const [state] = rows;
    if (state?.member === true) return;
    const steps = [
      ...(state?.role ? [] : [{ sql: `CREATE ROLE ${role} NOLOGIN`, told: `CREATE ROLE ${role} NOLOGIN` }]),
      ...(state?.there ? [] : [createLogin(name, password)]),
      { sql: `GRANT ${role} TO ${name}`, told: `GRANT ${role} TO ${name}` },
    ];
    for (const [index, { sql }] of steps.entries()) {
      if (await isDone(client, sql)) continue;
      const rest = steps.slice(index).map(({ told }) => `  ${told};`);
      throw new ApplicationRoleError(
        `The migrations are applied, but this role may not let "${login}", the login of DATABASE_URL, into the tables. ` +
          `As a role that may, run:\n${rest.join('\n')}\nThen run \`npm run db:migrate\` again.`,
      );
    }
  });
}
